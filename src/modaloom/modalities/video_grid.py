"""Frames with times of their own on a fixed grid: the rate of a clip, and what is shown when.

A container's average rate is wrong for clips of variable rate, and its nominal one may be anything.
"""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from modaloom.core.errors import BadValue
from modaloom.modalities.video_value import MAX_FPS, MAX_FRAMES, Frame

JITTER = 0.25
"""Part of a frame's duration that its time may be off the grid, as containers that round times have it."""


@dataclass(frozen=True)
class Grid:
    """Times k / fps after the first frame."""

    start: float
    """Seconds of the first frame."""
    fps: Fraction
    length: int
    """Number of frames until the last one ends."""
    regular: bool
    """Whether every frame has a place of its own; otherwise the rate is variable."""

    def fill(self, frames: Iterable[tuple[float, Frame]]) -> Iterator[Frame]:
        """(Seconds, frame) in order of time → the frame that is shown in the middle of each place.

        At least one frame; it is repeated until the next one.
        """
        shown: Frame | None = None
        place = 0
        for time, frame in frames:
            while shown is not None and place < self.length and self._middle(place) < time:
                yield shown
                place += 1
            shown = frame
        assert shown is not None
        for _ in range(place, self.length):
            yield shown

    def _middle(self, place: int) -> float:
        return self.start + float((place + Fraction(1, 2)) / self.fps)


def grid_of(times: Sequence[float], end: float, hints: Iterable[Fraction | None] = ()) -> Grid:
    """The grid of frames.

    Its rate is the first of the hints, the nearest whole number, or the mean that all frames fit; where none
    does, the rate is variable, and that of the median interval is taken.

    Args:
        times: when each frame is shown, in seconds, in order; at least one.
        end: when the last one ends.
        hints: rates that the container has.

    Raises:
        BadValue: for times that do not rise, or gaps of more than `MAX_FRAMES` frames.
    """
    start, count, seconds = times[0], len(times), end - times[0]
    if any(later < time for time, later in pairwise(times)):
        raise BadValue("has frames whose times go back")
    known = [hint for hint in hints if hint and 0 < hint <= MAX_FPS]
    if seconds <= 0:
        return Grid(start, known[0] if known else Fraction(1), 1, True)
    mean = Fraction(count / seconds).limit_denominator(1001)
    for fps in [*known, Fraction(max(1, round(mean))), mean]:
        if 0 < fps <= MAX_FPS and _fits(times, end, fps):
            return Grid(start, fps, count, True)
    median = statistics.median(later - time for time, later in pairwise([*times, end]))
    fps = Fraction(1 / max(median, 1 / MAX_FPS)).limit_denominator(1 if median < 0.5 else 1001)
    length = max(1, round(seconds * fps))
    if length > MAX_FRAMES:
        raise BadValue(f"has {count:,} frames in {seconds:,.0f} s; that is no clip")
    return Grid(start, fps, length, False)


def _fits(times: Sequence[float], end: float, fps: Fraction) -> bool:
    """Whether frame k is shown at about k / fps, and the last one for about as long as the others."""
    step = float(1 / fps)
    places = (abs(time - times[0] - k * step) for k, time in enumerate(times))
    return max(places) <= JITTER * step and abs(end - times[0] - len(times) * step) <= 2 * JITTER * step
