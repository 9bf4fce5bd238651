"""Checks of the times, shared by all samplers of signals."""

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor

from modaloom.core.errors import BadValue


def time_pairs(x: Tensor, times: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Start and end of each step of `times` (S + 1,): (B,) each, in the dtype and device of `x` (B, ...).

    Raises `BadValue` unless the times lie in [0, 1] and are strictly monotonic.
    """
    steps = times.diff()
    if not _in_unit_interval(times) or not (bool((steps < 0).all()) or bool((steps > 0).all())):
        raise BadValue(f"times must all fall or all rise within [0, 1]; got {times.tolist()}")
    return pairwise(time.expand(len(x)) for time in times.to(x))


def decreasing_time_pairs(x: Tensor, times: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """`time_pairs` for a stochastic sampler, whose times must fall. Raises `BadValue` otherwise."""
    if not _in_unit_interval(times) or not bool((times.diff() < 0).all()):
        raise BadValue(f"times must all fall within [0, 1]; got {times.tolist()}")
    return time_pairs(x, times)


def _in_unit_interval(times: Tensor) -> bool:
    return len(times) > 1 and bool(times.min() >= 0) and bool(times.max() <= 1)
