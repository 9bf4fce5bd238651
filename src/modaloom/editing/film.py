"""A film: parts of clips, one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
from PIL import Image, ImageOps

from modaloom.modalities.video_rate import at_rate
from modaloom.modalities.video_value import Frame, Video


@dataclass(frozen=True)
class Shot:
    """A part of a clip."""

    clip: Video
    first: int
    """Frame at the film's rate."""
    length: int
    """Frames at the film's rate, no more than the clip has."""


def film(shots: Sequence[Shot], height: int, width: int, fps: Fraction) -> Video:
    """Shots → clip; frames of another size are fitted into the box, on black. Decoded as it is played."""

    def scan() -> Iterator[Frame]:
        for shot in shots:
            yield from _frames(shot, height, width, fps)

    return Video(scan, sum(shot.length for shot in shots), height, width, fps)


def _frames(shot: Shot, height: int, width: int, fps: Fraction) -> Iterator[Frame]:
    frames = at_rate(shot.clip, fps).scan()
    for frame in islice(frames, shot.first, shot.first + shot.length):
        yield _fitted(frame, height, width)


def _fitted(frame: Frame, height: int, width: int) -> Frame:
    if frame.shape[:2] == (height, width):
        return frame
    return np.asarray(ImageOps.pad(Image.fromarray(frame), (width, height), Image.Resampling.LANCZOS))
