"""Missing samples of a signal, from its own autoregression: the least-squares answer from both sides.

Janssen, Veldhuis & Vries 1986 (doi 10.1109/TASSP.1986.1164824), §II, in blocks that overlap by half.
Shapes: L samples of a block, P order, U missing samples.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import conv1d, pad

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
    filled, order = block, min(ORDER, max(1, len(block) // 2))
    for _ in range(ITERATIONS):
        precision = Precision.of(prediction_error(filled, order), len(block))
        filled = block.clone()
        filled[missing] = solve(precision, missing, -precision.times(block)[missing])
    return filled


@dataclass(frozen=True)
class Precision:
    """Inverse covariance A of L samples of an autoregression, up to a factor (Gohberg & Semencul 1972): in
    the middle that of the lag alone, the autocorrelation of the filter; near an end without the prediction
    errors beyond it, as what lies there is unknown. It is positive definite for L ≥ 2 P.
    """

    by_lag: Tensor
    """(P + 2,), of the lags 0 to P; then 0."""
    ends: Tensor
    """(P + 1, P + 1): what the errors beyond an end weigh of the P samples nearest to it; then 0."""
    length: int

    @classmethod
    def of(cls, error: Tensor, length: int) -> Self:
        """Of the filter 1, -a₁, …, -a_P, whose zeros are inside the unit circle."""
        order = len(error) - 1
        later = pad(error, (0, order))[1 + torch.arange(order)[:, None] + torch.arange(order)]
        by_lag = pad(autocorrelation(error, order), (0, 1))
        return cls(by_lag, pad(later @ later.mT, (0, 1, 0, 1)), length)

    @property
    def order(self) -> int:
        """P."""
        return len(self.by_lag) - 2

    def at(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Increasing places int64 (R,), (C,) → A of them, (R, C); those more than P beyond the last sample
        are each by themselves."""
        found = self.by_lag[(rows[:, None] - columns).abs().clamp(max=self.order + 1)]
        if self.order <= int(rows[0]) and int(rows[-1]) < self.length - self.order:
            return found
        last = self.length - 1
        return found - self._end(rows, columns) - self._end(last - rows, last - columns)

    def _end(self, rows: Tensor, columns: Tensor) -> Tensor:
        near = (places.abs().clamp(max=self.order) for places in (rows, columns))
        return self.ends[torch.meshgrid(*near, indexing="ij")]

    def times(self, samples: Tensor) -> Tensor:
        """Samples x (L,) → A x."""
        order, ends = self.order, self.ends[:-1, :-1]
        weights = torch.cat([self.by_lag[1:-1].flip(0), self.by_lag[:-1]])
        found = conv1d(samples[None, None], weights[None, None], padding=order)[0, 0]
        found[:order] -= ends @ samples[:order]
        found[-order:] -= ends.flip(0, 1) @ samples[-order:]
        return found


def solve(precision: Precision, places: Tensor, right: Tensor) -> Tensor:
    """The x (U,) of A x = `right` (U,), where A is the precision of these places, int64 (U,), increasing.

    A has no more than P diagonals on either side, and its blocks of P rows are tridiagonal: block elimination
    takes U · P² steps. A is positive definite; no pivots are needed.
    """
    order, n = precision.order, len(places)
    lacking = -n % order
    beyond = precision.length + (order + 1) * torch.arange(1, lacking + 1)
    rows = torch.cat([places, beyond]).reshape(-1, order)
    diagonal = [precision.at(row, row) for row in rows]
    below = [precision.at(row, before) for before, row in pairwise(rows)]
    sums = [*pad(right, (0, lacking)).reshape(-1, order)]
    for k, left in enumerate(below):
        gain = torch.linalg.solve(diagonal[k], left.mT).mT
        diagonal[k + 1] = diagonal[k + 1] - gain @ left.mT
        sums[k + 1] = sums[k + 1] - gain @ sums[k]
    for k in reversed(range(len(rows))):
        later = below[k].mT @ sums[k + 1] if k < len(below) else 0
        sums[k] = torch.linalg.solve(diagonal[k], sums[k] - later)
    return torch.cat(sums)[:n]


def prediction_error(block: Tensor, order: int = ORDER) -> Tensor:
    """Samples (L,) → the filter 1, -a₁, …, -a_P of the least error of a linear prediction (autocorrelation
    method)."""
    window = torch.hann_window(len(block), dtype=block.dtype)
    lags = autocorrelation(block * window, order)
    lags[0] = lags[0] * (1 + RIDGE) + TINY
    place = torch.arange(order)
    solved = torch.linalg.solve(lags[(place[:, None] - place).abs()], lags[1:])
    return torch.cat([solved.new_ones(1), -solved])


def autocorrelation(signal: Tensor, most: int) -> Tensor:
    """(L,) → its sums of products at the lags 0 to `most`."""
    n = len(signal) + most
    lags: Tensor = torch.fft.irfft(torch.fft.rfft(signal, n).abs().square(), n)
    return lags[: most + 1]
