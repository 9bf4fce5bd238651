"""Missing samples of a signal, from its own autoregression: the least-squares answer from both sides.

Janssen, Veldhuis & Vries 1986 (doi 10.1109/TASSP.1986.1164824), §II, in blocks that overlap by half.
Shapes: L samples of a block, P order, U missing samples.
"""

import torch
from torch import Tensor

ORDER = 32
BLOCK = 1024
ITERATIONS = 2
RIDGE = 1e-6
"""Part of the power that is added to it as white noise: short missing parts of pure tones stay solvable."""
TINY = 1e-20


def fill_gaps(samples: Tensor, known: Tensor) -> Tensor:
    """Samples (n,), bool (n,) → (n,): unknown ones are those that a linear prediction errs least with.

    Known ones stay as they are. Far from anything known the answer fades to 0.
    """
    if bool(known.all()):
        return samples
    found = torch.where(known, samples, 0).double()
    total, weight = torch.zeros_like(found), torch.zeros_like(found)
    for start in range(0, max(1, len(samples) - BLOCK // 2), BLOCK // 2):
        block = slice(start, start + BLOCK)
        if not bool(known[block].all()):
            share = torch.hann_window(len(found[block]) + 2, periodic=False, dtype=found.dtype)[1:-1]
            total[block] += share * _filled(found[block], known[block])
            weight[block] += share
    return torch.where(known, samples, (total / weight.clamp_min(TINY)).to(samples))


def _filled(block: Tensor, known: Tensor) -> Tensor:
    """One block, float64 (L,), its missing samples 0."""
    missing = (~known).nonzero()[:, 0]
    lags_UU = (missing[:, None] - missing).abs()
    filled = block
    for _ in range(ITERATIONS):
        weights = _padded(autocorrelation(prediction_error(filled), ORDER), len(block))
        near = torch.cat([weights[1 : ORDER + 1].flip(0), weights[: ORDER + 1]])
        seen = torch.nn.functional.conv1d(block[None, None], near[None, None], padding=ORDER)[0, 0]
        filled = block.clone()
        filled[missing] = torch.linalg.solve(weights[lags_UU], -seen[missing])
    return filled


def prediction_error(block: Tensor) -> Tensor:
    """Samples (L,) → the filter 1, -a₁, …, -a_P of the least error of a linear prediction (autocorrelation
    method)."""
    window = torch.hann_window(len(block), dtype=block.dtype)
    lags = autocorrelation(block * window, ORDER)
    lags[0] = lags[0] * (1 + RIDGE) + TINY
    place = torch.arange(ORDER)
    solved = torch.linalg.solve(lags[(place[:, None] - place).abs()], lags[1:])
    return torch.cat([solved.new_ones(1), -solved])


def autocorrelation(signal: Tensor, most: int) -> Tensor:
    """(L,) → its sums of products at the lags 0 to `most`."""
    n = len(signal) + most
    lags: Tensor = torch.fft.irfft(torch.fft.rfft(signal, n).abs().square(), n)
    return lags[: most + 1]


def _padded(lags: Tensor, n: int) -> Tensor:
    """0 beyond the order, up to n lags."""
    return torch.nn.functional.pad(lags, (0, max(0, n - len(lags))))
