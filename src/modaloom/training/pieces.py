"""Pieces of signals: what a Restorer that improves signals of any size is trained on."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from modaloom.modalities.base import Modality
from modaloom.modalities.unit import unit

Packed = NDArray[Any]
"""(C, *axes)."""

POOLS: Mapping[int, Callable[[Tensor, int], Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def pieces(
    signals: Sequence[Packed], modality: Modality, *, side: int, scales: int, random: torch.Generator
) -> list[Tensor]:
    """The same random stretch of signals of one size, float32 (C, side, …) in [0, 1].

    It is `side` long on every axis, or a power of two longer and box-filtered to that, at `scales` scales as
    far as the signal is large enough; what is shorter is padded with its last values. Over two axes or more,
    the last two are turned by a random number of right angles and mirrored at random.
    """
    sides = signals[0].shape[1:]
    level = below(len([k for k in range(1, scales) if side << k <= min(sides)]) + 1, random)
    long = side << level
    starts = [below(max(n - long, 0) + 1, random) for n in sides]
    turns, mirrored = (below(4, random), below(2, random)) if len(sides) > 1 else (0, 0)

    def piece(signal: Packed) -> Tensor:
        cut = signal[(slice(None), *(slice(start, start + long) for start in starts))]
        spare = [(0, 0), *((0, long - n) for n in cut.shape[1:])]
        whole = unit(modality, np.pad(cut, spare, mode="edge"))
        small = POOLS[len(sides)](whole, 1 << level) if level else whole
        turned = small.rot90(turns, (-2, -1)) if turns else small
        return turned.flip(-1) if mirrored else turned

    return [piece(signal) for signal in signals]


def below(n: int, random: torch.Generator) -> int:
    """A random whole number from 0 to n − 1."""
    return int(torch.randint(n, (), generator=random))
