"""The deterministic walk."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.diffusion.prediction import NoiseSchedule, SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import time_pairs


@torch.no_grad()
def ddim(denoise: SignalDenoiser, process: NoiseSchedule, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """DDIM (Song et al. 2021, arXiv 2010.02502, eq. 12 without noise): with D = denoise(x_t, t),

        x_s = √ᾱ(s) D + σ(s) ε̂,   ε̂ = (x_t − √ᾱ(t) D) / σ(t).

    Exact, however few the steps, if D does not depend on x; of first order in the step size else. The walk
    may start at any level and go either way: down to t = 0 it draws, up to t = 1 it encodes data as noise.
    """
    for t, s in time_pairs(x, times):
        mean, now = denoise(x, t), process.level(t, x)
        x = process.level(s, x).mix(mean, now.noise_of(x, mean))
        yield x
