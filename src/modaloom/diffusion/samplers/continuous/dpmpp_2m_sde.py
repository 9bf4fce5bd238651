"""SDE-DPM-Solver++(2M): a stochastic multistep solver."""

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
    """SDE-DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, §5): `ddpm` with an extrapolated estimate.

    Args:
        denoise: state (B, ...), t (B,) → E[clean data | state] (B, ...).
        process: gives the noise level at a time.
        x: float (B, ...), the state at `times[0]`.
        times: float (S + 1,) in [0, 1], falling.
        noise: normal random numbers, per sample.

    Returns:
        An iterator over the state (B, ...) at each later time.

    Raises:
        BadValue: for other times.
    """

    def update(x: Tensor, data: Tensor, level_t: NoiseLevel, level_s: NoiseLevel) -> Tensor:
        return posterior(x, data, level_t, level_s, noise.normal(*x.shape[1:]).to(x))

    return multistep(denoise, process, x, decreasing_time_pairs(x, times), update)
