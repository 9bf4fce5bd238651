"""The reverse process of gaussian diffusion itself."""

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
    """DDPM's ancestral walk (Ho et al. 2020, arXiv 2006.11239, eq. 7, variance β̃): x_s ~ q(x_s | x_t, D)."""
    for t, s in decreasing_time_pairs(x, times):
        mean, fresh = denoise(x, t), noise.normal(*x.shape[1:]).to(x)
        x = posterior(x, mean, process.level(t, x), process.level(s, x), fresh)
        yield x


def posterior(x: Tensor, data: Tensor, now: NoiseLevel, then: NoiseLevel, fresh: Tensor) -> Tensor:
    """A draw of q(x_s | x_t, x_0) for `x` at level `now`, with the normal numbers `fresh`.

    ε keeps the share ρ = (σ_s/a_s) / (σ_t/a_t) of its amplitude and the rest is new:

        x_s = a_s x_0 + σ_s (ρ ε + √(1 − ρ²) z),   of variance σ_s² (1 − ρ²).
    """
    kept = then.ratio / now.ratio
    return then.mix(data, kept * now.noise_of(x, data) + (1 - kept.square()).sqrt() * fresh)
