"""Walks over signals, one per file.

**The contract.** `walk(denoise, process, x, times)` is a generator. `denoise` returns the mean of clean data;
`x` (B, ...) is the state at `times[0]` of `times` (S + 1,), all in [0, 1]; it yields the state at each later
time, so the caller logs and stops. t = 0 is data. A deterministic walk goes either way: down it draws, up it
encodes data as noise. A stochastic one takes `noise`, from which each sample draws its own numbers, and its
times must fall. Any number of steps will do, one too. Raises `BadValue` for other times.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from modaloom.diffusion.continuous import Continuous
from modaloom.diffusion.noise import Normals
from modaloom.diffusion.prediction import Mean
from modaloom.diffusion.samplers.continuous.ddim import ddim
from modaloom.diffusion.samplers.continuous.ddpm import ddpm
from modaloom.diffusion.samplers.continuous.dpm import dpm
from modaloom.diffusion.samplers.continuous.euler import euler
from modaloom.diffusion.samplers.continuous.heun import heun
from modaloom.diffusion.samplers.continuous.sde_dpm import sde_dpm


@dataclass(frozen=True)
class Sampler:
    """A way of walking, and what it can walk."""

    run: Callable[..., Iterator[Tensor]]
    order: int
    """The error falls with this power of the step size."""
    stochastic: bool = False
    evaluations: int = 1
    """Calls of the denoiser a step."""
    processes: tuple[str, ...] = ("gaussian", "flow")
    """Names in CONTINUOUS."""

    def walk(
        self, denoise: Mean, process: Continuous, x: Tensor, times: Tensor, *, noise: Normals
    ) -> Iterator[Tensor]:
        """The walk; a deterministic one leaves `noise` alone."""
        chance = {"noise": noise} if self.stochastic else {}
        return self.run(denoise, process, x, times, **chance)


SAMPLERS: dict[str, Sampler] = {
    "ddim": Sampler(ddim, 1),
    "ddpm": Sampler(ddpm, 1, stochastic=True),
    "dpm": Sampler(dpm, 2),
    "euler": Sampler(euler, 1),
    "heun": Sampler(heun, 2, evaluations=2),
    "sde_dpm": Sampler(sde_dpm, 2, stochastic=True),
}
