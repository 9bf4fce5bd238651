"""Nearest training points, by matrix products."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Nearest:
    """For each of n points."""

    index: Tensor
    """int64 (n,)."""
    distance: Tensor
    """float32 (n,): Euclidean."""


def nearest(points: Tensor, among: Tensor) -> Nearest:
    """Of each of `points` (n, D), the nearest of `among` (N, D); the first of equals."""
    index = (among.square().sum(1) - 2 * points @ among.T).argmin(1)
    # The expanded square loses small distances to rounding, and a copy must be at distance 0.
    return Nearest(index, (points - among[index]).norm(dim=1))
