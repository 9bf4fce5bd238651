"""The multistep solver with fresh noise."""

from collections.abc import Iterator

from torch import Tensor

from modaloom.diffusion.level import Level
from modaloom.diffusion.noise import Normals
from modaloom.diffusion.prediction import Levels, Mean
from modaloom.diffusion.samplers.continuous.ddpm import posterior
from modaloom.diffusion.samplers.continuous.dpm import multistep
from modaloom.diffusion.samplers.continuous.walk import falling


def sde_dpm(denoise: Mean, process: Levels, x: Tensor, times: Tensor, *, noise: Normals) -> Iterator[Tensor]:
    """SDE-DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, §5, as first-order `ddpm` with look-ahead)."""

    def move(x: Tensor, data: Tensor, now: Level, then: Level) -> Tensor:
        return posterior(x, data, now, then, noise.normal(*x.shape[1:]).to(x))

    return multistep(denoise, process, x, falling(x, times), move)
