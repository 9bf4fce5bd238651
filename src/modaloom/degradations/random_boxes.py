"""Places where nothing is known."""

from collections.abc import Sequence

import torch
from torch import Tensor

MAX_HOLES = 4
"""Boxes that a mask has at most."""
WIDTH_DIVISOR = 4
"""A box is at most 1/WIDEST of the side wide."""


def random_boxes(sides: Sequence[int], *, generator: torch.Generator) -> Tensor:
    """bool (*sides), True where the signal is known: all but 1 to MOST boxes of any size and place."""
    known = torch.ones(*sides, dtype=torch.bool)
    for _ in range(_below(MAX_HOLES, generator) + 1):
        box = known
        for axis, side in enumerate(sides):
            width = _below(max(1, side // WIDTH_DIVISOR), generator) + 1
            box = box.narrow(axis, _below(side - width + 1, generator), width)
        box.fill_(False)
    return known


def _below(n: int, generator: torch.Generator) -> int:
    return int(torch.randint(n, (), generator=generator))
