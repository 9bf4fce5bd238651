"""Samplers of signals, one per file.

**The contract.** `sampler(denoise, process, x, times)` is a generator. `denoise` returns the posterior mean
of the clean data; `x` (B, ...) is the state at `times[0]` of `times` (S + 1,), all in [0, 1]; it yields the
state at each later time. t = 0 is data. Deterministic samplers run in both directions: falling times sample,
rising times encode data as noise. Stochastic samplers take `noise`, and their times must fall. Any number of
steps from 1 on is allowed. Raises `BadValue` for other times.
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
    """A sampler, its properties and the processes that it supports."""

    fn: Callable[..., Iterator[Tensor]]
    order: int
    """Order of convergence: the error falls with this power of the step size."""
    stochastic: bool = False
    """Whether it takes `noise`."""
    evaluations: int = 1
    """Calls of the denoiser per step."""
    processes: tuple[str, ...] = ("gaussian", "flow")
    """Names in GAUSSIAN_PROCESSES."""

    def sample(
        self, denoise: SignalDenoiser, process: GaussianProcess, x: Tensor, times: Tensor, *, noise: Normals
    ) -> Iterator[Tensor]:
        """Run the sampler; deterministic ones ignore `noise`.

        Args:
            denoise: state (B, ...), t (B,) → E[clean data | state] (B, ...).
            process: the process whose reverse is sampled.
            x: float (B, ...), the state at `times[0]`.
            times: float (S + 1,) in [0, 1], falling.
            noise: normal random numbers, per sample.

        Returns:
            An iterator over the state (B, ...) at each later time.

        Raises:
            BadValue: for other times, on iteration.
        """
        options = {"noise": noise} if self.stochastic else {}
        return self.fn(denoise, process, x, times, **options)


SIGNAL_SAMPLERS: dict[str, SignalSampler] = {
    "ddim": SignalSampler(ddim, 1),
    "ddpm": SignalSampler(ddpm, 1, stochastic=True),
    "dpmpp_2m": SignalSampler(dpmpp_2m, 2),
    "euler": SignalSampler(euler, 1),
    "heun": SignalSampler(heun, 2, evaluations=2),
    "dpmpp_2m_sde": SignalSampler(dpmpp_2m_sde, 2, stochastic=True),
}
