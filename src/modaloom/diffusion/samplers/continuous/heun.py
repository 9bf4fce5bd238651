"""The trapezoid solver of the probability flow."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.level import expand_like
from modaloom.diffusion.prediction import SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import time_pairs


@torch.no_grad()
def heun(denoise: SignalDenoiser, process: GaussianProcess, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """Heun's method (Karras et al. 2022, arXiv 2206.00364, algorithm 1), two evaluations a step, order two.

    A step that ends in data is Euler's: there the flow has no slope to ask for.
    """
    for t, s in time_pairs(x, times):
        step = expand_like(s - t, x)
        slope = process.velocity(x, denoise(x, t), t)
        ahead = x + step * slope
        if bool((process.level(s, x).sigma > 0).all()):
            x = x + step * (slope + process.velocity(ahead, denoise(ahead, s), s)) / 2
        else:
            x = ahead
        yield x
