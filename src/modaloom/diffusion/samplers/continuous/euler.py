"""The simplest solver of the probability flow."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.level import expand_like
from modaloom.diffusion.prediction import SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import time_pairs


@torch.no_grad()
def euler(denoise: SignalDenoiser, process: GaussianProcess, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """x_s = x_t + (s − t) dx/dt, of first order.

    It follows the tangent in t: for rectified flow that is `ddim`, for a curved process it is not.
    """
    for t, s in time_pairs(x, times):
        x = x + expand_like(s - t, x) * process.velocity(x, denoise(x, t), t)
        yield x
