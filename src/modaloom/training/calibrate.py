"""From a wall-clock budget to a number of steps."""

import time

from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Training

WARMUP_STEPS = 3
"""Steps before the clock starts: the first ones allocate and start codebooks."""
MIN_TIMED_STEPS = 5
MIN_STEPS = 10
"""No stage gets fewer steps; counts are multiples of it."""


def calibrate(stage: Stage, accelerator: Accelerator, seconds: float, *, seed: int, ema: float) -> int:
    """The number of steps that fit `seconds`, this measurement included.

    The steps that it times are real and then undone, by putting back the module's state_dict: what a resumed
    run could not know, a stage must not depend on anyway.
    """
    start = time.perf_counter()
    before = {name: t.detach().clone() for name, t in stage.module.state_dict().items()}
    try:
        pace = _pace(
            Training(stage, accelerator, WARMUP_STEPS + 1000 * MIN_TIMED_STEPS, seed=seed, ema=ema),
            seconds / 40,
        )
    finally:
        stage.module.zero_grad(set_to_none=True)
        stage.module.load_state_dict(before)
    left = seconds - (time.perf_counter() - start)
    return max(MIN_STEPS, int(left / pace) // MIN_STEPS * MIN_STEPS)


def _pace(training: Training, seconds: float) -> float:
    """Seconds a step, measured for about `seconds` but over no fewer than TIMED steps."""
    for _ in range(WARMUP_STEPS):
        training.advance()
    start, steps = time.perf_counter(), 0
    while steps < MIN_TIMED_STEPS or (time.perf_counter() - start < seconds and steps < 1000):
        training.advance()
        steps += 1
    return (time.perf_counter() - start) / steps
