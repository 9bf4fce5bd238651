"""DPM-Solver++(2M): a second-order multistep solver."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from modaloom.diffusion.level import NoiseLevel
from modaloom.diffusion.prediction import NoiseSchedule, SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import time_pairs

UpdateRule = Callable[[Tensor, Tensor, NoiseLevel, NoiseLevel], Tensor]
"""State at t, estimate of the clean data, level at t, level at s → state at s."""


def dpmpp_2m(denoise: SignalDenoiser, process: NoiseSchedule, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2): second order, one call per step.

    The `ddim` step with an extrapolated estimate of the clean data. The first step, and one that begins at
    pure noise or ends at data, is first order.

    Args:
        denoise: state (B, ...), t (B,) → E[clean data | state] (B, ...).
        process: gives the noise level at a time.
        x: float (B, ...), the state at `times[0]`.
        times: float (S + 1,) in [0, 1], all falling or all rising.

    Returns:
        An iterator over the state (B, ...) at each later time.

    Raises:
        BadValue: for other times.
    """
    return multistep(denoise, process, x, time_pairs(x, times), _ddim_update)


@torch.no_grad()
def multistep(
    denoise: SignalDenoiser,
    process: NoiseSchedule,
    x: Tensor,
    steps: Iterator[tuple[Tensor, Tensor]],
    update: UpdateRule,
) -> Iterator[Tensor]:
    """Apply `update` with the linearly extrapolated estimate of the clean data.

    Args:
        denoise: state (B, ...), t (B,) → E[clean data | state] (B, ...).
        process: gives the noise level at a time.
        x: float (B, ...), the state at the start of the first step.
        steps: start t and end s of each step, (B,) each.
        update: the update of one step.

    Yields:
        The state (B, ...) after each step.
    """
    previous: tuple[Tensor, NoiseLevel] | None = None
    for t, s in steps:
        mean, level_t, level_s = denoise(x, t), process.level(t, x), process.level(s, x)
        data = mean if previous is None else extrapolate(mean, previous[0], previous[1], level_t, level_s)
        previous = mean, level_t
        x = update(x, data, level_t, level_s)
        yield x


def extrapolate(
    mean: Tensor, previous_mean: Tensor, previous: NoiseLevel, level_t: NoiseLevel, level_s: NoiseLevel
) -> Tensor:
    """D + h/2h₋·(D − D₋), the estimate at the midpoint of the step from t to s.

    h = ln(σ_t/a_t) − ln(σ_s/a_s) is the step size in half the log-SNR, h₋ that of the previous step; an
    infinite one gives D.

    Args:
        mean: float (B, ...), D at t.
        previous_mean: float (B, ...), D₋ at the previous time.
        previous: noise level at the previous time.
        level_t: noise level at t.
        level_s: noise level at s.

    Returns:
        float (B, ...).
    """
    h, previous_h = (level_t.ratio / level_s.ratio).log(), (previous.ratio / level_t.ratio).log()
    finite = h.isfinite() & previous_h.isfinite()
    return mean + torch.where(finite, h / (2 * previous_h), 0) * (mean - previous_mean)


def _ddim_update(x: Tensor, data: Tensor, level_t: NoiseLevel, level_s: NoiseLevel) -> Tensor:
    return level_s.mix(data, level_t.noise_of(x, data))
