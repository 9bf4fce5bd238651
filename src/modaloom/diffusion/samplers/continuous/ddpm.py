"""DDPM: ancestral sampling of Gaussian diffusion."""

from collections.abc import Iterator

import torch
from torch import Tensor

from modaloom.diffusion.level import NoiseLevel
from modaloom.diffusion.noise import Normals
from modaloom.diffusion.prediction import NoiseSchedule, SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import decreasing_time_pairs


@torch.no_grad()
def ddpm(
    denoise: SignalDenoiser, process: NoiseSchedule, x: Tensor, times: Tensor, *, noise: Normals
) -> Iterator[Tensor]:
    """Ancestral sampling (Ho et al. 2020, arXiv 2006.11239, eq. 7, variance β̃): x_s ~ q(x_s | x_t, D).

    Args:
        denoise: state (B, ...), t (B,) → E[clean data | state] (B, ...).
        process: gives the noise level at a time.
        x: float (B, ...), the state at `times[0]`.
        times: float (S + 1,) in [0, 1], falling.
        noise: normal random numbers, per sample.

    Yields:
        The state (B, ...) at each later time.

    Raises:
        BadValue: for other times.
    """
    for t, s in decreasing_time_pairs(x, times):
        mean, z = denoise(x, t), noise.normal(*x.shape[1:]).to(x)
        x = posterior(x, mean, process.level(t, x), process.level(s, x), z)
        yield x


def posterior(x: Tensor, data: Tensor, level_t: NoiseLevel, level_s: NoiseLevel, z: Tensor) -> Tensor:
    """A sample of q(x_s | x_t, x_0): with ρ = (σ_s/a_s) / (σ_t/a_t),

        x_s = a_s x_0 + σ_s (ρ ε + √(1 − ρ²) z),   of variance σ_s² (1 − ρ²).

    Args:
        x: float (B, ...), the state at t.
        data: float (B, ...), the clean data x_0 or its posterior mean.
        level_t: noise level at t.
        level_s: noise level at s ≤ t.
        z: float (B, ...) ~ N(0, I).

    Returns:
        float (B, ...), the state at s.
    """
    rho = level_s.ratio / level_t.ratio
    return level_s.mix(data, rho * level_t.noise_of(x, data) + (1 - rho.square()).sqrt() * z)
