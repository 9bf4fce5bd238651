"""Nearest-neighbour search by matrix products."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Nearest:
    """Nearest neighbours of n points."""

    index: Tensor
    """int64 (n,)."""
    distance: Tensor
    """float32 (n,): Euclidean distance."""


def nearest(points: Tensor, among: Tensor) -> Nearest:
    """Returns the nearest of `among` (N, D) for each of `points` (n, D); the first of equally near ones."""
    return _at(_scores(points, among).argmin(1), points, among)


def nearest_others(points: Tensor) -> Nearest:
    """Returns the nearest other point for each of `points` (n, D); a single point is its own neighbour."""
    return _at(_scores(points, points).fill_diagonal_(torch.inf).argmin(1), points, points)


def _scores(points: Tensor, among: Tensor) -> Tensor:
    """(n, N): squared distances up to a constant per row."""
    return among.square().sum(1) - 2 * points @ among.T


def _at(index: Tensor, points: Tensor, among: Tensor) -> Nearest:
    # The expanded square loses small distances to rounding, and copies must have distance 0.
    return Nearest(index, (points - among[index]).norm(dim=1))
