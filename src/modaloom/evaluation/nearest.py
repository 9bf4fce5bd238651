"""Nearest training points, by matrix products."""

from dataclasses import dataclass

import torch
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
    return _at(_scores(points, among).argmin(1), points, among)


def nearest_others(points: Tensor) -> Nearest:
    """Of each of `points` (n, D), the nearest other one; of a single one, itself."""
    return _at(_scores(points, points).fill_diagonal_(torch.inf).argmin(1), points, points)


def _scores(points: Tensor, among: Tensor) -> Tensor:
    """(n, N): squared distances, but for what is the same in each row."""
    return among.square().sum(1) - 2 * points @ among.T


def _at(index: Tensor, points: Tensor, among: Tensor) -> Nearest:
    # The expanded square loses small distances to rounding, and a copy must be at distance 0.
    return Nearest(index, (points - among[index]).norm(dim=1))
