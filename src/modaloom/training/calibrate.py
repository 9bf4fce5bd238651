"""From a wall-clock budget to a number of steps."""

import time

from modaloom.training.engine import Engine
from modaloom.training.loop import Stage, Training

WARM = 3
"""Steps before the clock starts: the first ones allocate and start codebooks."""
TIMED = 5
LEAST = 10
"""No stage gets fewer steps; counts are multiples of it."""


def calibrate(stage: Stage, engine: Engine, seconds: float, *, seed: int, ema: float) -> int:
    """The number of steps that fit `seconds`, this measurement included.

    The steps that it times are real and then undone, by putting back the module's state_dict: what a resumed
    run could not know, a stage must not depend on anyway.
    """
    start = time.perf_counter()
    before = {name: t.detach().clone() for name, t in stage.module.state_dict().items()}
    try:
        pace = _pace(Training(stage, engine, WARM + 1000 * TIMED, seed=seed, ema=ema), seconds / 40)
    finally:
        stage.module.zero_grad(set_to_none=True)
        stage.module.load_state_dict(before)
    left = seconds - (time.perf_counter() - start)
    return max(LEAST, int(left / pace) // LEAST * LEAST)


def _pace(training: Training, seconds: float) -> float:
    """Seconds a step, measured for about `seconds` but over no fewer than TIMED steps."""
    for _ in range(WARM):
        training.advance()
    start, steps = time.perf_counter(), 0
    while steps < TIMED or (time.perf_counter() - start < seconds and steps < 1000):
        training.advance()
        steps += 1
    return (time.perf_counter() - start) / steps
