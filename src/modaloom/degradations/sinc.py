"""Other rates of signals over one axis, by an integer factor: a windowed sinc.

Positions before the first and after the last repeat these. Half of the lower rate is passed by half, and 1%
of it on either side is passed in part.
"""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

ZEROS = 256
"""Zero crossings of the sinc on each side."""
BETA = 8.0
"""Of the Kaiser window: what is stopped is 80 dB lower."""


@cache
def kernel(factor: int) -> Tensor:
    """float64 (2 · ZEROS · factor + 1,): the low pass whose every phase sums to 1 / factor.

    Constants stay constant. All but the middle of every `factor`-th weight are 0 (a Nyquist filter), so that
    `interpolate` keeps its input.
    """
    reach = ZEROS * factor
    place = torch.arange(-reach, reach + 1, dtype=torch.float64)
    window = torch.kaiser_window(2 * reach + 1, periodic=False, beta=BETA, dtype=torch.float64)
    weights = torch.sinc(place / factor) * window
    for phase in range(factor):
        weights[phase::factor] /= weights[phase::factor].sum()
    return weights / factor


def decimate(signal: Tensor, *, factor: int) -> Tensor:
    """(C, n) → (C, ⌈n / factor⌉): what is below half of the new rate."""
    return _low_pass(_extended(signal, ZEROS * factor), factor)[:, ::factor]


def interpolate(signal: Tensor, *, factor: int) -> Tensor:
    """(C, n) → (C, n · factor): nothing above half of the old rate; every factor-th value is the input's."""
    spread = _extended(signal, ZEROS)[..., None] * F.one_hot(torch.tensor(0), factor).to(signal)
    return factor * _low_pass(spread.flatten(1), factor)


def _extended(signal: Tensor, reach: int) -> Tensor:
    return F.pad(signal, [reach, reach], mode="replicate")


def _low_pass(signal: Tensor, factor: int) -> Tensor:
    """(C, n + 2 · ZEROS · factor) → (C, n), by the FFT."""
    n, reach = signal.shape[1], ZEROS * factor
    whole: Tensor = torch.fft.irfft(
        torch.fft.rfft(signal, n) * torch.fft.rfft(kernel(factor).to(signal), n), n
    )
    return whole[:, 2 * reach :]
