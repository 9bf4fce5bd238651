"""Random masks of clips for inpainting: boxes that stay or move, and missing frames."""

from collections.abc import Sequence

import torch
from torch import Tensor

from modaloom.degradations.random_boxes import random_boxes

MISSING = 0.25
"""Share of the masks in which one frame is missing as a whole."""
MAX_STEP = 2
"""Positions that boxes move from frame to frame, at most, along each axis."""


def moving_boxes(sides: Sequence[int], *, generator: torch.Generator) -> Tensor:
    """bool (frames, height, width), False where something is missing, True (known) elsewhere.

    One frame of a clip of several is missing, or boxes as of `random_boxes` are, which move evenly, round the
    edges, or stay.
    """
    frames, *picture = sides
    if frames > 1 and float(torch.rand((), generator=generator)) < MISSING:
        known = torch.ones(*sides, dtype=torch.bool)
        known[int(torch.randint(frames, (), generator=generator))] = False
        return known
    first = random_boxes(picture, generator=generator)
    step = (torch.randint(2 * MAX_STEP + 1, (2,), generator=generator) - MAX_STEP).tolist()
    return torch.stack([first.roll([k * n for n in step], (0, 1)) for k in range(frames)])
