"""The simplest solver of the probability flow."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.diffusion.continuous import Continuous
from modaloom.diffusion.level import over
from modaloom.diffusion.prediction import Mean
from modaloom.diffusion.samplers.continuous.walk import pairs


@torch.no_grad()
def euler(denoise: Mean, process: Continuous, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """x_s = x_t + (s − t) dx/dt, of first order.

    It follows the tangent in t: for rectified flow that is `ddim`, for a curved process it is not.
    """
    for t, s in pairs(x, times):
        x = x + over(s - t, x) * process.velocity(x, denoise(x, t), t)
        yield x
