"""Random crops of signals at random scales, turned and mirrored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.axes import by_axis

Packed = NDArray[Any]
"""(C, *axes)."""
ToUnit = Callable[[Packed], Tensor]
"""Packed array → float32 signal, in [0, 1] within the range of the training values, position by position."""

POOLS: Mapping[int, Callable[..., Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@dataclass(frozen=True)
class CropPlacement:
    """Position, scale and orientation of a crop of signals of one size."""

    starts: tuple[int, ...]
    level: int
    """The crop is cut 2^level times as large, but no longer in time, and downsampled with a box filter."""
    turns: int
    """Rotations by 90° of the last two axes, 0 to 3."""
    mirrored: bool

    @classmethod
    def random(
        cls, sides: Sequence[int], crop: Sequence[int], scales: int, random: torch.Generator
    ) -> "CropPlacement":
        """Returns a random placement.

        Args:
            sides: side lengths of the signals.
            crop: those of the finished crop.
            scales: number of scales, at least 1; limited by the signals' size, and 1 on a single axis: slower
                sounds are others.
            random: source of randomness.
        """
        scales = scales if len(sides) > 1 else 1
        level = randint_below(len([k for k in range(1, scales) if _fits(crop, k, sides)]) + 1, random)
        starts = tuple(randint_below(max(n - m, 0) + 1, random) for n, m in zip(sides, _cut(crop, level)))
        turns, mirrored = (randint_below(4, random), randint_below(2, random)) if len(sides) > 1 else (0, 0)
        return cls(starts, level, turns, bool(mirrored))

    def crop(self, signal: Packed, to_unit: ToUnit, sides: Sequence[int]) -> Tensor:
        """Returns the crop of a signal, float32 (C, *sides); short axes are edge-padded."""
        cut, axes = _cut(sides, self.level), len(sides)
        window = signal[(slice(None), *(slice(start, start + n) for start, n in zip(self.starts, cut)))]
        spare = [(0, 0), *((0, n - m) for n, m in zip(cut, window.shape[1:]))]
        whole = to_unit(np.pad(window, spare, mode="edge"))
        small = POOLS[axes](whole, by_axis(axes, 1 << self.level, 1)) if self.level else whole
        turned = small.rot90(self.turns, (-2, -1)) if self.turns else small
        return turned.flip(-1) if self.mirrored else turned


def random_crops(
    signals: Sequence[Packed],
    to_unit: Sequence[ToUnit],
    *,
    side: int,
    frames: int = 1,
    scales: int,
    candidates: int,
    generator: torch.Generator,
) -> list[Tensor]:
    """Returns the same random crop of several signals of one size, float32 (C, side, …), of clips
    (C, frames, side, side).

    With two axes or more, the last two are rotated by a random multiple of 90° and flipped at random.

    Args:
        signals: arrays (C, *axes) with equal axes.
        to_unit: converts the crops of each signal.
        side: side length of the crop along every axis but the time of clips.
        frames: its length in time.
        scales: number of scales; a crop is cut 2^k times as large, k < `scales` as far as the signals are
            large enough, and downsampled with a box filter.
        candidates: number of random placements; the one whose first signal has the most detail is used.
        generator: source of randomness.
    """
    whole = signals[0].shape[1:]
    sides = by_axis(len(whole), side, frames)
    placements = [CropPlacement.random(whole, sides, scales, generator) for _ in range(candidates)]
    best = max(placements, key=lambda placement: detail(placement.crop(signals[0], to_unit[0], sides)))
    return [best.crop(signal, convert, sides) for signal, convert in zip(signals, to_unit, strict=True)]


def _cut(sides: Sequence[int], level: int) -> tuple[int, ...]:
    """Sides of what a crop of these sides is made of."""
    return tuple(n * f for n, f in zip(sides, by_axis(len(sides), 1 << level, 1)))


def _fits(crop: Sequence[int], level: int, sides: Sequence[int]) -> bool:
    """Whether rows and columns are long enough."""
    return all(n <= m for n, m in zip(_cut(crop, level)[-2:], sides[-2:]))


def detail(signal: Tensor) -> float:
    """Sum of squared differences between neighbouring values of (C, *axes) along each axis."""
    return sum(float(signal.diff(dim=axis).square().sum()) for axis in range(1, signal.ndim))


def randint_below(n: int, random: torch.Generator) -> int:
    """Returns a random integer from 0 to n − 1."""
    return int(torch.randint(n, (), generator=random))
