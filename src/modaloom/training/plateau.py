"""When a tokenizer has learned enough: a doubling of its steps no longer lowers its error by much."""

from collections.abc import Iterable, Mapping
from typing import Any

FIRST_STEP = 64
"""The first step after which the error is taken; then after every doubling, and half-way (in ratio) to it."""
MIN_GAIN = 0.45
"""Share of the error that a doubling of the steps must take away."""
ERROR = "val.error"
"""Its name in metrics.jsonl."""


def is_due(step: int) -> bool:
    """Whether the error is taken after `step` steps: FIRST_STEP · √2ⁿ, rounded."""
    n = max(0, step.bit_length() - FIRST_STEP.bit_length())
    return step in (FIRST_STEP << n, round((FIRST_STEP << n) * 2**0.5))


def has_flattened(errors: Mapping[int, float], step: int) -> bool:
    """Whether the error after `step` is more than 1 − MIN_GAIN of that after half as many steps."""
    half = min(errors, key=lambda other: abs(other - step / 2))
    return step >= 2 * FIRST_STEP and errors[step] > (1 - MIN_GAIN) * errors[half]


def logged_errors(records: Iterable[Mapping[str, Any]], stage: str) -> dict[int, float]:
    """Step → error, from the lines of metrics.jsonl."""
    return {r["step"]: r[ERROR] for r in records if r.get("stage") == stage and ERROR in r}
