"""The best linear filter of a restoration: ridge regression from the patch around a position to what is
missing there.

Shapes: D channels that are seen, C that are corrected, L levels, P phases, N positions, F features: a patch
of all channels, and the constant 1.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.axes import by_axis
from modaloom.core.errors import BadValue, check_range
from modaloom.networks.tiled import crop, tile_boxes

TILE, TILE_FRAMES = 256, 8
"""Positions along each axis, and along the time of clips, that are filtered at once; bound the memory."""
PENALTY = 1e-6
"""Penalty on the squared weights, per position, for signals in [0, 1]."""
CONVOLVE: Mapping[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
"""Number of axes → cross-correlation."""


@dataclass(frozen=True)
class FilterSpec:
    """What the weights of a linear filter depend on."""

    side: int = 7
    """Side length of the patch in positions, odd; of clips it is a patch of one frame."""
    period: int = 1
    """Period, along each axis but the time of clips, of the grid that the degradation has, at most TILE: each
    of its P phases, periodⁿ on n axes, has weights of its own."""
    levels: int = 1
    """L: weights are interpolated linearly between those of L levels of the degradation."""
    max_level: float = 1.0
    """The last level, more than 0; the first is 0."""

    def __post_init__(self) -> None:
        check_range("side", self.side, 1)
        if self.side % 2 == 0:
            raise BadValue(f"side is {self.side}; the side of a patch must be odd")
        check_range("period", self.period, 1, TILE)
        check_range("levels", self.levels, 1)
        check_range("max_level", self.max_level, 0, open_low=True)

    def sides(self, axes: int) -> tuple[int, ...]:
        """Sides of the patch along each axis."""
        return by_axis(axes, self.side, 1)

    def periods(self, axes: int) -> tuple[int, ...]:
        """Period along each axis."""
        return by_axis(axes, self.period, 1)

    def interpolation(self, level: float) -> Tensor:
        """float64 (L,): the shares of the levels' weights at `level`; their sum is 1."""
        place = min(max(level / self.max_level, 0), 1) * (self.levels - 1)
        return (1 - (torch.arange(self.levels, dtype=torch.float64) - place).abs()).clamp_min(0)


@dataclass(frozen=True)
class PatchRidge:
    """A signal plus an affine function of the patch around each of its positions."""

    spec: FilterSpec
    weight_LPFC: Tensor
    """float64."""

    @classmethod
    def fit(
        cls,
        pairs: Sequence[tuple[Tensor, Tensor]],
        spec: FilterSpec | None = None,
        *,
        penalty: float = PENALTY,
    ) -> "PatchRidge":
        """Returns the filter from given to wanted signals.

        Args:
            pairs: given and wanted signal; at least one pair, all of one level. The first C channels of the
                given one are those of the wanted one, (C, *axes); all are seen.
            spec: of one level; None: the defaults.
            penalty: as of `NormalEquations.solve`.
        """
        first, want = pairs[0]
        shape = {"channels": len(first), "outputs": len(want), "axes": want.ndim - 1}
        equations = NormalEquations(spec or FilterSpec(), **shape)
        for given, wanted in pairs:
            equations.add(given, wanted - given[: len(wanted)])
        return equations.solve(penalty)

    def __call__(self, given: Tensor, level: float = 0.0) -> Tensor:
        """(D, *axes) → (C, *axes), its first channels corrected; needs the memory of two such signals and of
        a tile."""
        axes = given.ndim - 1
        sides, periods = self.spec.sides(axes), self.spec.periods(axes)
        weight_PFC = torch.tensordot(self.spec.interpolation(level), self.weight_LPFC, 1).to(given)
        wide, out = _padded(given, sides), given[: weight_PFC.shape[-1]].clone()
        tile = by_axis(axes, TILE // self.spec.period * self.spec.period, TILE_FRAMES)
        for box in tile_boxes(given.shape[1:], tile):
            window = crop(wide, tuple(slice(s.start, s.stop + side - 1) for s, side in zip(box, sides)))
            for start, weight_FC in zip(_phases(periods), weight_PFC):
                found = _every(crop(out, box), start, periods)
                if found.numel():
                    found += self._correction(_every(window, start, [1] * axes), weight_FC)
        return out

    def _correction(self, window: Tensor, weight_FC: Tensor) -> Tensor:
        """(D, *axes + side − 1) → (C, *axes / period): the correction at the first phase."""
        axes = window.ndim - 1
        kernel = weight_FC[:-1].T.reshape(-1, len(window), *self.spec.sides(axes))
        return CONVOLVE[axes](window, kernel, weight_FC[-1], stride=self.spec.periods(axes))


class NormalEquations:
    """Sums over positions that determine a `PatchRidge`; their number does not grow with the positions.

    Args:
        spec: what the weights depend on.
        channels: D, channels that are seen.
        outputs: C, channels that are corrected, the first ones; None: all.
        axes: number of axes of a signal, 1 to 3.
    """

    def __init__(self, spec: FilterSpec, *, channels: int, outputs: int | None = None, axes: int) -> None:
        phases, features = math.prod(spec.periods(axes)), channels * math.prod(spec.sides(axes)) + 1
        self.spec = spec
        unknowns = spec.levels * features
        self.count_P = torch.zeros(phases, dtype=torch.float64)
        self.gram_PUU = torch.zeros(phases, unknowns, unknowns, dtype=torch.float64)
        self.moment_PUC = torch.zeros(phases, unknowns, outputs or channels, dtype=torch.float64)

    def add(self, given: Tensor, missing: Tensor, level: float = 0.0) -> None:
        """Adds the positions of a signal.

        Args:
            given: (D, *axes).
            missing: (C, *axes), what is to be added to its first channels.
            level: of the degradation.
        """
        axes, share_L = given.ndim - 1, self.spec.interpolation(level)
        sides, periods = self.spec.sides(axes), self.spec.periods(axes)
        patches = _padded(given.double(), sides)
        for axis, side in enumerate(sides, 1):
            patches = patches.unfold(axis, side, 1)
        for phase, start in enumerate(_phases(periods)):
            rows = _every(patches, start, periods).movedim(0, axes).flatten(axes).flatten(0, axes - 1)
            x_NF = F.pad(rows, (0, 1), value=1.0)
            y_NC = _every(missing.double(), start, periods).flatten(1).T
            self.count_P[phase] += len(x_NF)
            self.gram_PUU[phase] += torch.kron(torch.outer(share_L, share_L), x_NF.T @ x_NF)
            self.moment_PUC[phase] += torch.kron(share_L[:, None], x_NF.T @ y_NC)

    def solve(self, penalty: float = PENALTY) -> PatchRidge:
        """Ridge regression (Hoerl & Kennard 1970, eq. 2.1): minimises the squared error plus `penalty` times
        the squared weights, per position. Without positions the weights are 0."""
        ridge_P11 = penalty * self.count_P.clamp_min(1)[:, None, None]
        unknowns = self.gram_PUU.shape[-1]
        weight_PUC = torch.linalg.solve(self.gram_PUU + ridge_P11 * torch.eye(unknowns), self.moment_PUC)
        return PatchRidge(self.spec, weight_PUC.unflatten(1, (self.spec.levels, -1)).transpose(0, 1))


def _padded(signal: Tensor, sides: Sequence[int]) -> Tensor:
    """(C, *axes) → (C, *axes + sides − 1), edge-padded."""
    return F.pad(signal, [half for side in reversed(sides) for half in [side // 2] * 2], mode="replicate")


def _phases(periods: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The first position of each phase."""
    return product(*map(range, periods))


def _every(signal: Tensor, start: Sequence[int], steps: Sequence[int]) -> Tensor:
    """The view (C, *axes / steps) of every step-th position from `start` along the axes after the first."""
    return signal[(slice(None), *(slice(first, None, step) for first, step in zip(start, steps)))]
