"""Tiled inference with overlapping tiles, equal to the result on the whole signal."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import torch
from torch import Tensor, nn

from modaloom.core.axes import by_axis
from modaloom.core.errors import BadValue
from modaloom.networks.conv import per_axis
from modaloom.networks.local_resnet import LocalResNet

MAX_ELEMENTS = 2**27
"""Elements of an activation above which a `TiledSequential` runs in parts: half a GiB of float32."""
TILE_FRAMES = 4
"""Frames of a tile of clips."""

Box = tuple[slice, ...]
"""One slice per axis."""


class TiledNetwork(nn.Module):
    """Runs a `LocalResNet` on one tile and its halo at a time.

    The output equals that on the whole signal up to rounding; activations need the memory of one tile, which
    has few frames of a clip. Raises `BadValue` unless `tile` is a positive multiple of the network's stride.
    """

    def __init__(self, network: LocalResNet, tile: int = 256) -> None:
        super().__init__()
        stride = max(network.strides)
        if tile < 1 or tile % stride:
            raise BadValue(f"tile is {tile}; it must be a positive multiple of {stride}")
        self.network, self.tile, self.receptive_radius = network, tile, network.receptive_radius

    def forward(
        self, state: Tensor, t: Tensor, condition: Tensor | None = None, context_BPV: Tensor | None = None
    ) -> Tensor:
        """Predict the output, tile by tile.

        Args:
            state: float (B, C, *axes).
            t: float (B,) or (B, 2), as the network's.
            condition: float (B, D, *axes) in [0, 1].
            context_BPV: float (B, P, V).

        Returns:
            float (B, C, *axes).
        """
        signals = [state] if condition is None else [state, condition]

        def network(state: Tensor, condition: Tensor | None = None) -> Tensor:
            out: Tensor = self.network(state, t, condition, context_BPV)
            return out

        tile = by_axis(state.ndim - 2, self.tile, TILE_FRAMES)
        return apply_in_tiles(network, *signals, tile=tile, halo=self.receptive_radius)


class TiledSequential(nn.Sequential):
    """Layers between a signal and its grid of cells; in eval mode a large input runs in parts.

    An input whose largest activation would have more than `max_elements` elements is split into fewer samples
    at a time, then into tiles with a halo. The output equals that on the whole input up to rounding;
    activations need the memory of one part. In training mode the input runs whole.

    Args:
        layers: from (B, ·, *cells · scale_in) to (B, ·, *cells · scale_out).
        halo: cells beyond a box, per axis, on which the output inside it depends.
        elements_per_cell: elements of the largest activation per cell.
        scale_in: input positions per cell and axis.
        scale_out: output positions per cell and axis.
    """

    max_elements = MAX_ELEMENTS

    def __init__(
        self,
        layers: Sequence[nn.Module],
        *,
        halo: Sequence[int],
        elements_per_cell: int,
        scale_in: int | Sequence[int] = 1,
        scale_out: int | Sequence[int] = 1,
    ) -> None:
        super().__init__(*layers)
        self.halo, self.elements_per_cell = tuple(halo), elements_per_cell
        self.scale_in, self.scale_out = scale_in, scale_out

    def forward(self, x: Tensor) -> Tensor:
        run: Callable[[Tensor], Tensor] = super().forward
        cells = cells_of(x, self.scale_in)
        max_cells = self.max_elements // self.elements_per_cell
        if self.training or len(x) * math.prod(cells) <= max_cells:
            return run(x)
        if len(x) > 1:
            parts = torch.split(x, max(1, max_cells // math.prod(cells)))
            return torch.cat([self(part) for part in parts])
        tile = fitting_tile(cells, self.halo, max_cells)
        return apply_in_tiles(
            run, x, tile=tile, halo=self.halo, scale_in=self.scale_in, scale_out=self.scale_out
        )


def apply_in_tiles(
    network: Callable[..., Tensor],
    *signals: Tensor,
    tile: int | Sequence[int],
    halo: int | Sequence[int],
    scale_in: int | Sequence[int] = 1,
    scale_out: int | Sequence[int] = 1,
) -> Tensor:
    """`network(*signals)` on one tile and its halo at a time; lengths are in cells, for all axes or by axis.

    Args:
        network: signals (B, ·, *cells · scale_in) → (B, ·, *cells · scale_out).
        signals: the whole signals.
        tile: sides of a tile.
        halo: cells beyond a tile on which the output inside it depends.
        scale_in: positions of the signals per cell.
        scale_out: positions of the output per cell.
    """
    cells = cells_of(signals[0], scale_in)
    inward, outward = per_axis(scale_in, len(cells)), per_axis(scale_out, len(cells))
    whole: Tensor | None = None
    for box in tile_boxes(cells, tile):
        padded = expand(box, halo, cells)
        out = network(*(crop(signal, scaled(padded, inward)) for signal in signals))
        if whole is None:
            whole = out.new_empty(*out.shape[:2], *(n * f for n, f in zip(cells, outward)))
        crop(whole, scaled(box, outward)).copy_(crop(out, scaled(relative_to(box, padded), outward)))
    assert whole is not None
    return whole


def cells_of(x: Tensor, scale: int | Sequence[int]) -> list[int]:
    """The numbers of cells of `scale` positions along the axes of (B, C, *axes)."""
    return [side // n for side, n in zip(x.shape[2:], per_axis(scale, x.ndim - 2))]


def fitting_tile(sides: Sequence[int], halo: Sequence[int], max_cells: int) -> tuple[int, ...]:
    """The largest of these sides is halved until a tile with its halo has at most `max_cells` cells, or
    cannot be smaller."""
    tile = list(sides)
    while max(tile) > 1 and math.prod(map(min, (n + 2 * h for n, h in zip(tile, halo)), sides)) > max_cells:
        longest = tile.index(max(tile))
        tile[longest] = -(-tile[longest] // 2)
    return tuple(tile)


def crop(x: Tensor, box: Box) -> Tensor:
    """The view of `x` inside the box, which applies to the last axes."""
    for axis, extent in enumerate(box, x.ndim - len(box)):
        x = x.narrow(axis, extent.start, extent.stop - extent.start)
    return x


def tile_boxes(sides: Sequence[int], tile: int | Sequence[int]) -> Iterator[Box]:
    """Boxes of sides `tile` that cover every position once; the last of an axis may be smaller."""
    steps = zip(sides, per_axis(tile, len(sides)))
    yield from product(*([slice(i, min(i + n, side)) for i in range(0, side, n)] for side, n in steps))


def expand(box: Box, halo: int | Sequence[int], sides: Sequence[int]) -> Box:
    """The box with a halo on every side, clipped to the signal."""
    each = zip(box, per_axis(halo, len(sides)), sides)
    return tuple(slice(max(0, s.start - n), min(side, s.stop + n)) for s, n, side in each)


def scaled(box: Box, factors: Sequence[int]) -> Box:
    """The box of cells as a box of positions, `factors` per cell."""
    return tuple(slice(s.start * f, s.stop * f) for s, f in zip(box, factors))


def relative_to(box: Box, around: Box) -> Box:
    """`box` in the coordinates of a signal cropped to `around`."""
    return tuple(slice(s.start - a.start, s.stop - a.start) for s, a in zip(box, around))
