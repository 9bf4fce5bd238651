"""Missing samples of a signal, from its own autoregression: the least-squares answer from both sides.

Janssen, Veldhuis & Vries 1986 (doi 10.1109/TASSP.1986.1164824), §II, in blocks that overlap by half.
Shapes: L samples of a block, P order, U missing samples.
"""

from itertools import pairwise

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
            weight[block] += share
            if bool(known[block].any()):
                total[block] += share * _filled(found[block], known[block])
    return torch.where(known, samples, (total / weight.clamp_min(TINY)).to(samples))


def _filled(block: Tensor, known: Tensor) -> Tensor:
    """One block, float64 (L,), its missing samples 0."""
    missing = (~known).nonzero()[:, 0]
    filled = block
    for _ in range(ITERATIONS):
        weights = autocorrelation(prediction_error(filled), ORDER)
        near = torch.cat([weights[1:].flip(0), weights])
        seen = torch.nn.functional.conv1d(block[None, None], near[None, None], padding=ORDER)[0, 0]
        filled = block.clone()
        filled[missing] = solve_by_lags(weights, missing, -seen[missing])
    return filled


def solve_by_lags(weights: Tensor, places: Tensor, right: Tensor) -> Tensor:
    """The x of A x = `right`, where A_ij is the weight of the lag |places_i − places_j|, 0 from P + 1 on.

    Places are increasing, so that A has no more than P diagonals on either side, and its blocks of P rows are
    tridiagonal: block elimination takes U · P² steps. A is positive definite; no pivots are needed.

    Args:
        weights: (P + 1,), of the lags 0 to P.
        places: int64 (U,).
        right: (U,).
    """
    order, n = len(weights) - 1, len(places)
    lacking = -n % order
    beyond = places[-1] + (order + 1) * torch.arange(1, lacking + 1)  # each by itself
    rows = torch.cat([places, beyond]).reshape(-1, order)
    by_lag = torch.nn.functional.pad(weights, (0, 1))

    def block(a: Tensor, b: Tensor) -> Tensor:
        return by_lag[(a[:, None] - b).abs().clamp(max=order + 1)]

    diagonal = [block(row, row) for row in rows]
    below = [block(row, before) for before, row in pairwise(rows)]
    sums = [*torch.nn.functional.pad(right, (0, lacking)).reshape(-1, order)]
    for k, left in enumerate(below):
        gain = torch.linalg.solve(diagonal[k], left.mT).mT
        diagonal[k + 1] = diagonal[k + 1] - gain @ left.mT
        sums[k + 1] = sums[k + 1] - gain @ sums[k]
    for k in reversed(range(len(rows))):
        later = below[k].mT @ sums[k + 1] if k < len(below) else 0
        sums[k] = torch.linalg.solve(diagonal[k], sums[k] - later)
    return torch.cat(sums)[:n]


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
