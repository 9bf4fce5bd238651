"""Sampling with a network of the average velocity (mean flow)."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.diffusion.level import expand_like
from modaloom.diffusion.mean_flow import AverageVelocity
from modaloom.diffusion.samplers.continuous.base import decreasing_time_pairs


@torch.no_grad()
def mean_flow(average: AverageVelocity, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """z_r = z_t − (t − r)·u(z_t, r, t) (Geng et al. 2025, arXiv 2505.13447, algorithm 2).

    Exact for an exact network with any number of steps. `x` (B, ...) is the state at `times[0]`; yields the
    state at each later time. Raises `BadValue` unless the times fall within [0, 1].
    """
    for t, r in decreasing_time_pairs(x, times):
        x = x - expand_like(t - r, x) * average(x, r, t)
        yield x
