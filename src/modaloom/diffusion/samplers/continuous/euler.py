"""Euler's method for the probability-flow ODE."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.level import expand_like
from modaloom.diffusion.prediction import SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import time_pairs


@torch.no_grad()
def euler(denoise: SignalDenoiser, process: GaussianProcess, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """Euler's method, x_s = x_t + (s − t) dx/dt: first order. For rectified flow it equals `ddim`.

    Args:
        denoise: state (B, ...), t (B,) → E[clean data | state] (B, ...).
        process: gives the noise level at a time.
        x: float (B, ...), the state at `times[0]`.
        times: float (S + 1,) in [0, 1], all falling or all rising.

    Yields:
        The state (B, ...) at each later time.

    Raises:
        BadValue: for other times.
    """
    for t, s in time_pairs(x, times):
        x = x + expand_like(s - t, x) * process.velocity(x, denoise(x, t), t)
        yield x
