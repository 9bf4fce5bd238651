"""Early stopping of tokenizers: the error is small, or doubling the steps no longer reduces it by enough."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

FIRST_STEP = 64
"""First step at which the error is evaluated; then every factor 2^(1/4) in the number of steps."""
MIN_GAIN = 0.3
"""Minimum relative reduction of the error by a doubling of the steps."""
MAX_ERROR = 0.015
"""Error, as a fraction of the values' variance, that is small enough before the learning rate decays, which
halves it again."""
ERROR = "val.error"
"""Name of the error in metrics.jsonl."""


def is_due(step: int) -> bool:
    """Whether the error is evaluated after `step` steps: at FIRST_STEP · 2^(n/4), rounded."""
    n = round(4 * math.log2(max(step, FIRST_STEP) / FIRST_STEP))
    return step == round(FIRST_STEP * 2 ** (n / 4))


def is_enough(errors: Mapping[int, float], step: int) -> bool:
    """Whether the error after `step` steps is at most MAX_ERROR, or has flattened."""
    return errors[step] <= MAX_ERROR or has_flattened(errors, step)


def has_flattened(errors: Mapping[int, float], step: int) -> bool:
    """Whether the error after `step` steps exceeds 1 − MIN_GAIN of the error after half as many."""
    half = min(errors, key=lambda other: abs(other - step / 2))
    return step >= 2 * FIRST_STEP and errors[step] > (1 - MIN_GAIN) * errors[half]


def logged_errors(records: Iterable[Mapping[str, Any]], stage: str) -> dict[int, float]:
    """Step → error of a stage, from records of metrics.jsonl."""
    return {r["step"]: r[ERROR] for r in records if r.get("stage") == stage and ERROR in r}
