"""Translation of a signal."""

import torch
from torch import Tensor


def shift(signal: Tensor, fraction: float, *, generator: torch.Generator) -> Tensor:
    """Moves a signal (C, *axes) along each axis by up to `fraction` of its side, in [0, 1]; its edges repeat.

    Signals of different sizes move by the same part of their sides, rounded to positions, if they are given
    generators of one seed.
    """
    parts = fraction * (2 * torch.rand(signal.ndim - 1, generator=generator) - 1)
    for axis, part in enumerate(parts.tolist(), start=1):
        side = signal.shape[axis]
        places = (torch.arange(side) - round(part * side)).clamp(0, side - 1)
        signal = signal.index_select(axis, places)
    return signal
