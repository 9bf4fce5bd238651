"""Number of steps that fit a wall-clock budget, measured before and during a stage."""

import math
import time
from collections.abc import Callable

from modaloom.runs.schedule import Schedule, trapezoid
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Training

WARMUP_STEPS = 3
"""Untimed steps before the measurement, which allocate memory and initialize codebooks."""
MIN_TIMED_STEPS = 5
MAX_TIMED_STEPS = 1000
TIMED_SCHEDULE = trapezoid(2 * (WARMUP_STEPS + MAX_TIMED_STEPS), warmup=0.5, decay=0.5)
"""Schedule of the timed steps, which all lie in its warmup."""
MIN_STEPS = 10
"""Minimum number of steps of a stage."""
LOOK_SHARE = 0.02
"""Interval between two updates of the pace, as a fraction of the budget."""
SMOOTHING_SHARE = 0.06
"""Time constant of the moving average of the speed, as a fraction of the budget: a validation, a checkpoint
or another program's burst changes it little."""
TOLERANCE = 0.1
"""Relative deviation of the remaining steps above which the schedule is refitted."""


def measure_pace(stage: Stage, accelerator: Accelerator, seconds: float, *, seed: int) -> float:
    """Measure the seconds per step. All ranks take equally many.

    The timed steps are real training steps, at the low learning rates of a warmup; the state_dict of every
    module is restored afterwards, and a stage has no other state.

    Args:
        stage: module and training setup.
        accelerator: device and precision.
        seconds: approximate duration of the measurement.
        seed: seed of the noise.

    Raises:
        WorkFailed: the loss or a gradient is not finite.
    """
    before = [
        {name: t.detach().clone() for name, t in module.state_dict().items()} for module in stage.modules
    ]
    try:
        training = Training(stage, accelerator, TIMED_SCHEDULE, seed=seed, ema=0.0)
        for _ in range(WARMUP_STEPS):
            training.advance()
        start, steps = time.perf_counter(), 0
        while steps < MIN_TIMED_STEPS or (
            steps < MAX_TIMED_STEPS and accelerator.distributed.all(time.perf_counter() - start < seconds)
        ):
            training.advance()
            steps += 1
        return (time.perf_counter() - start) / steps
    finally:
        for module, state in zip(stage.modules, before):
            module.zero_grad(set_to_none=True)
            module.load_state_dict(state)


class Pacer:
    """Measures the pace at intervals and fits the number of steps of a stage to its time budget.

    Args:
        seconds: remaining time budget of the stage.
        pace: initial estimate of the seconds per step.
        done: number of completed steps.
        clock: returns seconds, from any origin.
    """

    def __init__(
        self, seconds: float, pace: float, done: int = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace, self.clock = pace, clock
        self._begun = self._looked = clock()
        self._done = done
        least = max(seconds, MIN_STEPS * pace)  # the time may be up before the first step
        self.interval, self.smoothing = LOOK_SHARE * least, SMOOTHING_SHARE * least
        self.end = self._looked + seconds

    def refit(self, schedule: Schedule, done: int, *, decay: float) -> Schedule:
        """Schedule fitted to the remaining time after `done` steps; unchanged within `TOLERANCE`."""
        now = self.clock()
        if done == schedule.total or now - self._looked < self.interval:
            return schedule
        seconds, steps = now - self._looked, done - self._done
        kept = math.exp(-seconds / min(self.smoothing, now - self._begun))
        self.pace = 1 / (kept / self.pace + (1 - kept) * steps / seconds)  # an average of steps per second
        self._looked, self._done = now, done
        left = max(1, MIN_STEPS - done, round((self.end - now) / self.pace))
        if abs(done + left - schedule.total) <= TOLERANCE * left:
            return schedule
        return schedule.refit(done, done + left, decay)

    def end_after(self, steps: int) -> None:
        """Set the end of the budget to `steps` more steps at the current pace."""
        self.end = self.clock() + steps * self.pace
