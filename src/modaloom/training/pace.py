"""How many steps fit a wall-clock budget, measured before a stage and while it lasts."""

import time
from collections.abc import Callable

from modaloom.runs.schedule import Schedule
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Training

WARMUP_STEPS = 3
"""Steps before the clock starts: the first ones allocate and start codebooks."""
MIN_TIMED_STEPS = 5
MAX_TIMED_STEPS = 1000
MIN_STEPS = 10
"""No stage gets fewer steps."""
LOOK_SHARE = 0.02
"""Of the budget, the time between two looks at the clock."""
TOLERANCE = 0.05
"""Share of the remaining steps by which they may be off before the schedule is fitted anew."""


def measure_pace(
    stage: Stage, accelerator: Accelerator, schedule: Schedule, seconds: float, *, seed: int
) -> float:
    """Seconds a step, measured for about `seconds`.

    The steps that it times are real and then undone, by putting back the module's state_dict: what a resumed
    run could not know, a stage must not depend on anyway.
    """
    before = {name: t.detach().clone() for name, t in stage.module.state_dict().items()}
    try:
        training = Training(stage, accelerator, schedule, seed=seed, ema=0.0)
        for _ in range(WARMUP_STEPS):
            training.advance()
        start, steps = time.perf_counter(), 0
        while steps < MIN_TIMED_STEPS or (time.perf_counter() - start < seconds and steps < MAX_TIMED_STEPS):
            training.advance()
            steps += 1
        return (time.perf_counter() - start) / steps
    finally:
        stage.module.zero_grad(set_to_none=True)
        stage.module.load_state_dict(before)


class Pacer:
    """Looks at the clock now and then, and says how many steps a stage should have.

    Args:
        seconds: what is left for the stage, from now.
        pace: seconds a step, as far as known.
        done: steps done.
        clock: seconds, from any origin.
    """

    def __init__(
        self, seconds: float, pace: float, done: int = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace, self.clock = pace, clock
        self._looked, self._done = clock(), done
        self.interval = LOOK_SHARE * seconds
        self.end = self._looked + seconds

    def refit(self, schedule: Schedule, done: int, *, decay: float) -> Schedule:
        """The schedule, fitted to the time that is left after `done` steps; mostly it is the one that was."""
        now = self.clock()
        if done == schedule.total or now - self._looked < self.interval:
            return schedule
        self.pace = (self.pace + (now - self._looked) / (done - self._done)) / 2
        self._looked, self._done = now, done
        left = max(1, MIN_STEPS - done, round((self.end - now) / self.pace))
        if abs(done + left - schedule.total) <= TOLERANCE * left:
            return schedule
        return schedule.refit(done, done + left, decay)

    def end_after(self, steps: int) -> None:
        """Expect the end after so many more steps at today's pace."""
        self.end = self.clock() + steps * self.pace
