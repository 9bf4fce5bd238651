"""What is missing in a frame of a clip, from the frames around it."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.errors import BadValue
from modaloom.restorer.tasks.masking import pull_push

REACH = 4
"""Frames before and after one that are looked at."""


def fill_from_frames(clip: Tensor, known: Tensor) -> Tensor:
    """Fills unknown positions: (C, T, H, W), weights (1, T, H, W), 0 or 1 → (C, T, H, W).

    What is known at the same place in at most `REACH` frames before and after is averaged, weighted by
    1/4^distance, so that the nearest decide; what is known in none of them is filled from its surroundings
    (`pull_push`).
    """
    weights = 4.0 ** -torch.arange(-REACH, REACH + 1).abs().to(clip)
    kernel = weights[None, None, :, None, None]
    total, weight = (F.conv3d(x[:, None], kernel, padding=(REACH, 0, 0))[:, 0] for x in (clip * known, known))
    seen = (weight > 0).to(clip)
    filled = torch.where(known > 0, clip, total / weight.clamp_min(1e-9)) * seen
    if bool(seen.all()):
        return filled
    frames = (pull_push(frame, there) for frame, there in zip(filled.unbind(1), seen.unbind(1)))
    return torch.stack([*frames], 1)


def check_gaps(missing: Sequence[float]) -> None:
    """Raises `BadValue` for frames that `fill_from_frames` cannot fill: of which nothing is known within
    `REACH`.

    Args:
        missing: the part of each frame of a clip that is unknown, in [0, 1].
    """
    known = [t for t, part in enumerate(missing) if part < 1]
    if not known:
        raise BadValue("the mask leaves nothing of the clip; some of it must be known")
    for before, after in pairwise([-1 - REACH, *known, len(missing) + REACH]):
        if after - before > 2 * REACH + 1:
            first, last = max(before + 1, 0) + 1, min(after, len(missing))
            raise BadValue(
                f"frames {first:,} to {last:,} are missing as a whole; those around fill at most {2 * REACH} "
                f"one after another, {REACH} at an end of the clip; cut the clip there"
            )
