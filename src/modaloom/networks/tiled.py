"""Tiled inference with overlapping tiles, equal to the result on the whole signal."""

from collections.abc import Iterator, Sequence
from itertools import product

import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.networks.local_resnet import LocalResNet

Box = tuple[slice, ...]
"""One slice per axis."""


class TiledNetwork(nn.Module):
    """Runs a `LocalResNet` on one tile and its halo at a time.

    The output equals that on the whole signal up to rounding; activations need the memory of one tile. Raises
    `BadValue` unless `tile` is a positive multiple of the network's `stride`.
    """

    def __init__(self, network: LocalResNet, tile: int = 256) -> None:
        super().__init__()
        if tile < 1 or tile % network.stride:
            raise BadValue(f"tile is {tile}; it must be a positive multiple of {network.stride}")
        self.network, self.tile = network, tile

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
        out, sides = torch.empty_like(state), state.shape[2:]
        for box in tile_boxes(sides, self.tile):
            padded = expand(box, self.network.receptive_radius, sides)
            tile_condition = None if condition is None else crop(condition, padded)
            tile_out = self.network(crop(state, padded), t, tile_condition, context_BPV)
            crop(out, box).copy_(crop(tile_out, relative_to(box, padded)))
        return out


def crop(x: Tensor, box: Box) -> Tensor:
    """The view of `x` inside the box, which applies to the last axes."""
    for axis, extent in enumerate(box, x.ndim - len(box)):
        x = x.narrow(axis, extent.start, extent.stop - extent.start)
    return x


def tile_boxes(sides: Sequence[int], tile: int) -> Iterator[Box]:
    """Boxes of side `tile` that cover every position once; the last of an axis may be smaller."""
    yield from product(*([slice(i, min(i + tile, side)) for i in range(0, side, tile)] for side in sides))


def expand(box: Box, halo: int, sides: Sequence[int]) -> Box:
    """The box with a halo on every side, clipped to the signal."""
    return tuple(slice(max(0, s.start - halo), min(side, s.stop + halo)) for s, side in zip(box, sides))


def relative_to(box: Box, around: Box) -> Box:
    """`box` in the coordinates of a signal cropped to `around`."""
    return tuple(slice(s.start - a.start, s.stop - a.start) for s, a in zip(box, around))
