"""Heun's method for the probability-flow ODE."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.level import expand_like
from modaloom.diffusion.prediction import SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import time_pairs


@torch.no_grad()
def heun(denoise: SignalDenoiser, process: GaussianProcess, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """Heun's method (Karras et al. 2022, arXiv 2206.00364, algorithm 1): second order, two calls per step.

    A step that ends at data is Euler's, since the velocity is undetermined there.

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
        step = expand_like(s - t, x)
        velocity = process.velocity(x, denoise(x, t), t)
        euler = x + step * velocity
        if bool((process.level(s, x).sigma > 0).all()):
            x = x + step * (velocity + process.velocity(euler, denoise(euler, s), s)) / 2
        else:
            x = euler
        yield x
