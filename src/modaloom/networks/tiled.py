"""Large signals by overlapping tiles, equal to the whole."""

from collections.abc import Iterator, Sequence
from itertools import product

import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.networks.local_resnet import LocalResNet

Box = tuple[slice, ...]
"""A stretch of every axis."""


class TiledNetwork(nn.Module):
    """A local network that sees one tile and the halo around it at a time.

    The output is that of the network on the whole signal up to rounding; memory for activations is that of
    one tile. Raises `BadValue` for a tile that is no multiple of the network's step.
    """

    def __init__(self, network: LocalResNet, tile: int = 256) -> None:
        super().__init__()
        if tile < 1 or tile % network.stride:
            raise BadValue(f"tile is {tile}; it must be a positive multiple of {network.stride}")
        self.network, self.tile = network, tile

    def forward(
        self, state: Tensor, t: Tensor, condition: Tensor | None = None, context_BPV: Tensor | None = None
    ) -> Tensor:
        """As the network's."""
        out, sides = torch.empty_like(state), state.shape[2:]
        for box in tile_boxes(sides, self.tile):
            around = expand(box, self.network.receptive_radius, sides)
            near = None if condition is None else crop(condition, around)
            part = self.network(crop(state, around), t, near, context_BPV)
            crop(out, box).copy_(crop(part, relative_to(box, around)))
        return out


def crop(x: Tensor, box: Box) -> Tensor:
    """A view of the last axes, as many as the box has."""
    for axis, part in enumerate(box, x.ndim - len(box)):
        x = x.narrow(axis, part.start, part.stop - part.start)
    return x


def tile_boxes(sides: Sequence[int], tile: int) -> Iterator[Box]:
    """Stretches of `tile` that cover every position once; the last of an axis may be shorter."""
    yield from product(*([slice(i, min(i + tile, side)) for i in range(0, side, tile)] for side in sides))


def expand(box: Box, halo: int, sides: Sequence[int]) -> Box:
    """The box and a halo on every side, as far as there is any signal."""
    return tuple(slice(max(0, s.start - halo), min(side, s.stop + halo)) for s, side in zip(box, sides))


def relative_to(box: Box, around: Box) -> Box:
    """Where `box` lies in a signal that was cut to `around`."""
    return tuple(slice(s.start - a.start, s.stop - a.start) for s, a in zip(box, around))
