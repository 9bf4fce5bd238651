"""Sound in the containers of FFmpeg, by PyAV: MPEG-4, Matroska, WebM, raw AAC and G.722."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np

from modaloom.core.errors import BadFile
from modaloom.core.windows import windows
from modaloom.modalities.audio_value import MAX_CHANNELS, Samples
from modaloom.modalities.container import picture_tracks, pyav, told_end
from modaloom.modalities.files import File

SLACK = 0.1
"""Seconds that a container's duration may be longer than its sound."""
ROUNDED = 0.002
"""Seconds by which containers round the times of two tracks."""
GAP = 0.015
"""Seconds by which a frame may be off its time: more than containers round and recorders are late, less than
a packet."""
SILENT = 2**16
"""Samples of each channel of a gap that are made at once."""
UNTOLD = ("aac", "g722", "mp3")
"""Formats without a duration: FFmpeg's is a guess by the rate of bits."""
DEEP = ("s32", "s32p")
"""Sample formats of more than 16 bits."""


def decode(path: File, container: str, *, size: int, max_values: int) -> Iterator[tuple[Samples, int, str]]:
    """File → pieces (C, n), not clipped, rate and type. The first track of sound, whatever its language.

    Beside pictures it begins with them: silent until it does, or without what comes before. Gaps are silent.
    The padding of the last block is cut off where the container counts samples, as MPEG-4 does. The file is
    opened here and nothing else is: FFmpeg gets no name, and no format that refers to other files.

    Args:
        path: a regular file.
        container: FFmpeg's name of its format.
        size: samples of each channel in a piece.
        max_values: most samples of all channels that are decoded.

    Raises:
        BadFile: no sound, too much, or, at the end, less than the container says; FFmpeg's own errors
            otherwise.
    """
    av = pyav(path)
    with path.open("rb") as file, av.open(file, format=container) as source:
        if not source.streams.audio:
            raise BadFile(path, "has no sound")
        track = _Track(source, source.streams.audio[0])
        frames = track.frames()
        first = next(frames, None)
        if first is None:
            raise BadFile(path, "holds no sound; it is empty or cut short")
        channels, rate = len(first.layout.channels), first.sample_rate
        if channels > MAX_CHANNELS:
            raise BadFile(path, f"has {channels} channels; at most {MAX_CHANNELS} are read")
        start = track.time(first)
        origin = _origin(av, source, start)
        packed = av.AudioResampler(format="flt", layout=first.layout, rate=rate)
        kind = "int24" if first.format.name in DEEP else "int16"
        placed = track.placed(packed, chain([first], frames), origin)
        parts = track.cut(_bounded(path, placed, max_values), first, origin)
        left = 0
        for window in windows(parts, size):
            left += window.own
            yield window.array, rate, kind
        end = None if container in UNTOLD else told_end(source, track.stream, av.time_base, start)
    if not left:
        raise BadFile(path, "has no sound beside its pictures; all of it is before them")
    promised = 0.0 if end is None else end - origin
    if left < (promised - SLACK) * rate:
        raise BadFile(
            path, f"is cut short: {left / rate:.2f} s are left of the {promised:.2f} s that it tells"
        )


def _samples(packed: Any) -> Samples:
    """Frame of packed floats → (C, n). PyAV reads beyond the pointers of planar ones of eight channels."""
    found: Samples = packed.to_ndarray().reshape(-1, packed.layout.nb_channels).T
    return found


class _Track:
    """A track of sound while it is decoded."""

    def __init__(self, source: Any, stream: Any) -> None:
        self.source, self.stream = source, stream
        self._end = 0
        """Of the packets so far, in the track's time base."""

    def frames(self) -> Iterator[Any]:
        for packet in self.source.demux(self.stream):
            if packet.pts is not None and packet.duration is not None:
                self._end = max(self._end, packet.pts + packet.duration)
            yield from packet.decode()

    def time(self, frame: Any) -> float:
        """When a frame is heard, in seconds; 0 if it does not say."""
        return 0.0 if frame.pts is None else float(frame.pts * self.stream.time_base)

    def placed(self, packed: Any, frames: Iterator[Any], origin: float) -> Iterator[Samples]:
        """The samples of frames at their times after `origin`; what comes before, or twice, is cut."""
        done = 0
        for frame in chain(frames, [None]):
            late = 0 if frame is None else self._late(frame, origin, done)
            heard = (_samples(one)[:, max(0, -late) :] for one in packed.resample(frame))
            for part in chain(_silence(packed.layout.nb_channels, late), heard):
                done += part.shape[1]
                yield part

    def _late(self, frame: Any, origin: float, done: int) -> int:
        """Samples by which a frame is later than the end of what is done."""
        late = round((self.time(frame) - origin) * frame.sample_rate) - done
        is_gap = frame.pts is not None and (not done or abs(late) > GAP * frame.sample_rate)
        return late if is_gap else 0

    def cut(self, parts: Iterator[Samples], first: Any, origin: float) -> Iterator[Samples]:
        """The parts from `origin` on, until the end of the packets where the time base is a sample."""
        if self.stream.time_base != Fraction(1, first.sample_rate) or first.pts is None:
            yield from parts
            return
        begin = round(origin * first.sample_rate)
        given, waiting = 0, np.zeros((len(first.layout.channels), 0), np.float32)
        for part in parts:
            waiting = np.concatenate([waiting, part], 1)
            n = max(0, self._end - begin - given)
            yield waiting[:, :n]
            given, waiting = given + min(n, waiting.shape[1]), waiting[:, n:]
        yield waiting[:, : max(0, 1 - given)]


def _origin(av: Any, source: Any, start: float) -> float:
    """When the first pictures are shown, in seconds, or the sound begins, if there are none."""
    shown = next(iter(picture_tracks(av, source)), None)
    if shown is None or shown.start_time is None:
        return start
    time = float(shown.start_time * shown.time_base)
    return start if abs(time - start) <= ROUNDED else time


def _silence(channels: int, n: int) -> Iterator[Samples]:
    for first in range(0, n, SILENT):
        yield np.zeros((channels, min(SILENT, n - first)), np.float32)


def _bounded(path: File, parts: Iterator[Samples], most: int) -> Iterator[Samples]:
    total = 0
    for part in parts:
        total += part.size
        if total > most:
            raise BadFile(path, f"holds more than {most:,} samples, which is what is decoded")
        yield part
