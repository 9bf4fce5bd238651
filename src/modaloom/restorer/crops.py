"""Pieces of signals: what a Restorer that improves signals of any size is trained on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from modaloom.modalities.base import Modality
from modaloom.modalities.unit import array_to_unit

Packed = NDArray[Any]
"""(C, *axes)."""

POOLS: Mapping[int, Callable[[Tensor, int], Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@dataclass(frozen=True)
class CropPlacement:
    """Where a piece is cut from signals of one size, and how it lies."""

    starts: tuple[int, ...]
    level: int
    """It is 2^level times as long as it should be, and box-filtered."""
    turns: int
    mirrored: bool

    @classmethod
    def random(cls, sides: Sequence[int], side: int, scales: int, random: torch.Generator) -> "CropPlacement":
        level = randint_below(len([k for k in range(1, scales) if side << k <= min(sides)]) + 1, random)
        starts = tuple(randint_below(max(n - (side << level), 0) + 1, random) for n in sides)
        turns, mirrored = (randint_below(4, random), randint_below(2, random)) if len(sides) > 1 else (0, 0)
        return cls(starts, level, turns, bool(mirrored))

    def crop(self, signal: Packed, modality: Modality, side: int) -> Tensor:
        """What is short of `side` is padded with its last values."""
        long = side << self.level
        window = signal[(slice(None), *(slice(start, start + long) for start in self.starts))]
        spare = [(0, 0), *((0, long - n) for n in window.shape[1:])]
        whole = array_to_unit(modality, np.pad(window, spare, mode="edge"))
        small = POOLS[len(self.starts)](whole, 1 << self.level) if self.level else whole
        turned = small.rot90(self.turns, (-2, -1)) if self.turns else small
        return turned.flip(-1) if self.mirrored else turned


def random_crops(
    signals: Sequence[Packed],
    modality: Modality,
    *,
    side: int,
    scales: int,
    candidates: int,
    random: torch.Generator,
) -> list[Tensor]:
    """The same random stretch of signals of one size, float32 (C, side, …) in [0, 1].

    It is `side` long on every axis, or a power of two longer and box-filtered to that, at `scales` scales as
    far as the signal is large enough. Over two axes or more, the last two are turned by a random number of
    right angles and mirrored at random. Of so many `candidates`, each of a place and a scale of its own, it
    is the one whose first signal has most detail.
    """
    placements = [CropPlacement.random(signals[0].shape[1:], side, scales, random) for _ in range(candidates)]
    best = max(placements, key=lambda placement: detail(placement.crop(signals[0], modality, side)))
    return [best.crop(signal, modality, side) for signal in signals]


def detail(signal: Tensor) -> float:
    """The squared steps from one value of (C, *axes) to the next on each axis, summed."""
    return sum(float(signal.diff(dim=axis).square().sum()) for axis in range(1, signal.ndim))


def randint_below(n: int, random: torch.Generator) -> int:
    """A random whole number from 0 to n − 1."""
    return int(torch.randint(n, (), generator=random))
