"""The multistep solver with fresh noise."""

from collections.abc import Iterator

from torch import Tensor

from modaloom.diffusion.level import NoiseLevel
from modaloom.diffusion.noise import Normals
from modaloom.diffusion.prediction import NoiseSchedule, SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import decreasing_time_pairs
from modaloom.diffusion.samplers.continuous.ddpm import posterior
from modaloom.diffusion.samplers.continuous.dpmpp_2m import multistep


def dpmpp_2m_sde(
    denoise: SignalDenoiser, process: NoiseSchedule, x: Tensor, times: Tensor, *, noise: Normals
) -> Iterator[Tensor]:
    """SDE-DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, §5, as first-order `ddpm` with look-ahead)."""

    def move(x: Tensor, data: Tensor, now: NoiseLevel, then: NoiseLevel) -> Tensor:
        return posterior(x, data, now, then, noise.normal(*x.shape[1:]).to(x))

    return multistep(denoise, process, x, decreasing_time_pairs(x, times), move)
