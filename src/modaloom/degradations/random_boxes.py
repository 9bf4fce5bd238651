"""Random box masks for inpainting."""

from collections.abc import Sequence

import torch
from torch import Tensor

MAX_HOLES = 4
"""Largest number of boxes in a mask."""
WIDTH_DIVISOR = 4
"""A box is at most side / WIDTH_DIVISOR wide."""


def random_boxes(sides: Sequence[int], *, generator: torch.Generator, widest: int | None = None) -> Tensor:
    """bool (*sides), False in 1 to MAX_HOLES boxes of random size and position, True (known) elsewhere.

    Boxes are at most `widest` positions wide.
    """
    known = torch.ones(*sides, dtype=torch.bool)
    for _ in range(_randint(MAX_HOLES, generator) + 1):
        box = known
        for axis, side in enumerate(sides):
            width = _randint(max(1, min(side // WIDTH_DIVISOR, widest or side)), generator) + 1
            box = box.narrow(axis, _randint(side - width + 1, generator), width)
        box.fill_(False)
    return known


def _randint(n: int, generator: torch.Generator) -> int:
    return int(torch.randint(n, (), generator=generator))
