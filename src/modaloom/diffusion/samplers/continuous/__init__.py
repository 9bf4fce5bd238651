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

from modaloom.diffusion.gaussian_process import GaussianProcess
from modaloom.diffusion.noise import Normals
from modaloom.diffusion.prediction import SignalDenoiser
from modaloom.diffusion.samplers.continuous.ddim import ddim
from modaloom.diffusion.samplers.continuous.ddpm import ddpm
from modaloom.diffusion.samplers.continuous.dpmpp_2m import dpmpp_2m
from modaloom.diffusion.samplers.continuous.dpmpp_2m_sde import dpmpp_2m_sde
from modaloom.diffusion.samplers.continuous.euler import euler
from modaloom.diffusion.samplers.continuous.heun import heun


@dataclass(frozen=True)
class SignalSampler:
    """A way of walking, and what it can walk."""

    fn: Callable[..., Iterator[Tensor]]
    order: int
    """The error falls with this power of the step size."""
    stochastic: bool = False
    evaluations: int = 1
    """Calls of the denoiser a step."""
    processes: tuple[str, ...] = ("gaussian", "flow")
    """Names in GAUSSIAN_PROCESSES."""

    def sample(
        self, denoise: SignalDenoiser, process: GaussianProcess, x: Tensor, times: Tensor, *, noise: Normals
    ) -> Iterator[Tensor]:
        """The walk; a deterministic one leaves `noise` alone."""
        chance = {"noise": noise} if self.stochastic else {}
        return self.fn(denoise, process, x, times, **chance)


SIGNAL_SAMPLERS: dict[str, SignalSampler] = {
    "ddim": SignalSampler(ddim, 1),
    "ddpm": SignalSampler(ddpm, 1, stochastic=True),
    "dpmpp_2m": SignalSampler(dpmpp_2m, 2),
    "euler": SignalSampler(euler, 1),
    "heun": SignalSampler(heun, 2, evaluations=2),
    "dpmpp_2m_sde": SignalSampler(dpmpp_2m_sde, 2, stochastic=True),
}
