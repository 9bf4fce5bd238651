"""Rate of codes in bits, and distortion at a given rate."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import log, log2

import torch
from torch import Tensor

Curve = Sequence[tuple[float, float]]
"""(Bits a vector, distortion), bits rising."""


def entropy(codes: Tensor) -> float:
    """Entropy of integers (N,), in bits."""
    share = torch.bincount(codes).double() / max(1, len(codes))
    return float(torch.special.entr(share).sum()) / log(2)


def plain_bits(codes: Tensor, size: int) -> float:
    """Mean bits per vector: log₂K per kept code plus the entropy of their number; `size` marks none."""
    kept = (codes < size).sum(1)
    return float(kept.double().mean()) * log2(size) + entropy(kept)


def coded_bits(codes: Tensor, size: int) -> float:
    """Mean bits per vector with an ideal entropy coder per depth: Σ_q P(q − 1 kept) · H(c_q | q − 1 kept).

    Entropies are of the empirical frequencies.
    """
    bits, kept = 0.0, torch.ones(len(codes), dtype=torch.bool)
    for column in codes.T:
        bits += float(kept.double().mean()) * entropy(column[kept])
        kept = kept & (column < size)
    return bits


COUNTS: dict[str, Callable[[Tensor, int], float]] = {"plain": plain_bits, "entropy-coded": coded_bits}


def shared(curve: Curve, bits: float) -> float:
    """Distortion at `bits`, by linear interpolation (time-sharing) between points of the curve."""
    for (a, lost_a), (b, lost_b) in pairwise(curve):
        if a <= bits <= b:
            return lost_a + (lost_b - lost_a) * (bits - a) / (b - a)
    raise ValueError(f"{bits:g} bits are not within the curve's {curve[0][0]:g} to {curve[-1][0]:g}")
