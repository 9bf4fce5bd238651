"""DDIM: deterministic first-order sampling."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.diffusion.prediction import NoiseSchedule, SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import time_pairs


@torch.no_grad()
def ddim(denoise: SignalDenoiser, process: NoiseSchedule, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """DDIM (Song et al. 2021, arXiv 2010.02502, eq. 12 without noise): with D = denoise(x_t, t),

        x_s = √ᾱ(s) D + σ(s) ε̂,   ε̂ = (x_t − √ᾱ(t) D) / σ(t).

    First order in the step size; exact for any number of steps if D does not depend on x. Starts at any
    level; rising times encode data as noise.

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
        mean, now = denoise(x, t), process.level(t, x)
        x = process.level(s, x).mix(mean, now.noise_of(x, mean))
        yield x
