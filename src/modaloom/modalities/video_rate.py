"""Another rate of a clip."""

from collections.abc import Iterator
from fractions import Fraction

from modaloom.modalities.video_value import MAX_FRAMES, Frame, Video


def at_rate(clip: Video, fps: Fraction, most: int = MAX_FRAMES) -> Video:
    """A clip at another rate, at most `most` frames: in each place the one that is shown in its middle.

    A clip of this rate stays as it is. No more is decoded than is needed.
    """
    step, length = clip.fps / fps, min(most, max(1, round(clip.length / clip.fps * fps)))

    def scan() -> Iterator[Frame]:
        place = 0
        for i, frame in enumerate(clip.scan()):
            while place < length and min(clip.length - 1, int((place + Fraction(1, 2)) * step)) == i:
                yield frame
                place += 1
            if place == length:
                return

    return Video(scan, length, clip.height, clip.width, fps)
