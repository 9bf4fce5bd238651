"""A film: parts of clips, one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np
from PIL import Image, ImageOps

from modaloom.modalities.video_rate import at_rate
from modaloom.modalities.video_value import Frame, Video

MAX_OPEN = 8
"""Clips that are decoded at a time: the frames that a codec keeps of each may be 100 MB."""


@dataclass(frozen=True)
class Shot:
    """A part of a clip."""

    clip: Video
    first: int
    """Frame at the film's rate."""
    length: int
    """Frames at the film's rate, no more than the clip has."""


def film(shots: Sequence[Shot], height: int, width: int, fps: Fraction) -> Video:
    """Shots → clip; frames of another size are fitted into the box, on black.

    Decoded as it is played: a clip goes on in its next shot, unless that begins before, or `MAX_OPEN` others
    were shown since.
    """

    def scan() -> Iterator[Frame]:
        reels = dict[int, _Reel]()
        for shot in shots:
            reel = reels.pop(id(shot.clip), None)
            if reel is None or reel.place > shot.first:
                reel = _Reel(at_rate(shot.clip, fps).scan())
            reels[id(shot.clip)] = reel
            if len(reels) > MAX_OPEN:
                reels.pop(next(iter(reels)))
            for frame in reel.part(shot.first, shot.length):
                yield _fitted(frame, height, width)

    return Video(scan, sum(shot.length for shot in shots), height, width, fps)


@dataclass
class _Reel:
    """A clip that is being decoded."""

    frames: Iterator[Frame]
    place: int = 0
    """The frame that comes next."""

    def part(self, first: int, length: int) -> Iterator[Frame]:
        """So many frames, the first of which is to come."""
        skipped, self.place = first - self.place, first + length
        return islice(self.frames, skipped, skipped + length)


def _fitted(frame: Frame, height: int, width: int) -> Frame:
    if frame.shape[:2] == (height, width):
        return frame
    return np.asarray(ImageOps.pad(Image.fromarray(frame), (width, height), Image.Resampling.LANCZOS))
