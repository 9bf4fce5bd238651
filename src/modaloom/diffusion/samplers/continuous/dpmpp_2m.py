"""The multistep solver that remembers one estimate."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from modaloom.diffusion.level import NoiseLevel
from modaloom.diffusion.prediction import NoiseSchedule, SignalDenoiser
from modaloom.diffusion.samplers.continuous.base import time_pairs

Move = Callable[[Tensor, Tensor, NoiseLevel, NoiseLevel], Tensor]
"""State, estimate of the clean data, level now, level then → state then."""


def dpmpp_2m(denoise: SignalDenoiser, process: NoiseSchedule, x: Tensor, times: Tensor) -> Iterator[Tensor]:
    """DPM-Solver++(2M) (Lu et al. 2022, arXiv 2211.01095, algorithm 2): one evaluation a step, second order.

    It is `ddim` towards an estimate that looks ahead. The first step, and one that begins in pure noise or
    ends in data, is of first order.
    """
    return multistep(denoise, process, x, time_pairs(x, times), _straight)


@torch.no_grad()
def multistep(
    denoise: SignalDenoiser,
    process: NoiseSchedule,
    x: Tensor,
    steps: Iterator[tuple[Tensor, Tensor]],
    move: Move,
) -> Iterator[Tensor]:
    """A walk over `steps` that moves towards estimates that look ahead."""
    before: tuple[Tensor, NoiseLevel] | None = None
    for t, s in steps:
        mean, now, then = denoise(x, t), process.level(t, x), process.level(s, x)
        aim = mean if before is None else ahead(mean, before[0], before[1], now, then)
        before = mean, now
        x = move(x, aim, now, then)
        yield x


def ahead(mean: Tensor, last: Tensor, before: NoiseLevel, now: NoiseLevel, then: NoiseLevel) -> Tensor:
    """D + h/2h₋·(D − D₋), the estimate in the middle of the step to come.

    h = ln(σ_t/a_t) − ln(σ_s/a_s) is the step's size in half the log-SNR, h₋ that of the step before.
    """
    size, last_size = (now.ratio / then.ratio).log(), (before.ratio / now.ratio).log()
    bounded = size.isfinite() & last_size.isfinite()
    return mean + torch.where(bounded, size / (2 * last_size), 0) * (mean - last)


def _straight(x: Tensor, data: Tensor, now: NoiseLevel, then: NoiseLevel) -> Tensor:
    return then.mix(data, now.noise_of(x, data))
