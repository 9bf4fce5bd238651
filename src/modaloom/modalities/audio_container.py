"""Sound in the containers of FFmpeg, by PyAV: MPEG-4, Matroska, WebM, raw AAC and G.722."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from modaloom.core.errors import BadFile
from modaloom.core.windows import windows
from modaloom.modalities.audio_value import MAX_CHANNELS, Samples
from modaloom.modalities.container import pyav, told_seconds

SLACK = 0.1
"""Seconds that a container's duration may be longer than its sound."""
UNTOLD = ("aac", "g722", "mp3")
"""Formats without a duration: FFmpeg's is a guess by the rate of bits."""
DEEP = ("s32", "s32p")
"""Sample formats of more than 16 bits."""


def decode(path: Path, container: str, *, size: int, max_values: int) -> Iterator[tuple[Samples, int, str]]:
    """File → pieces (C, n), not clipped, rate and type. The first track of sound, whatever its language.

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
        planar = av.AudioResampler(format="fltp", layout=first.layout, rate=rate)
        kind = "int24" if first.format.name in DEEP else "int16"
        parts = track.cut(_bounded(path, _planar(planar, chain([first], frames)), max_values), first)
        left = 0
        for window in windows(parts, size):
            left += window.own
            yield window.array, rate, kind
        promised = None if container in UNTOLD else told_seconds(source, track.stream, av.time_base)
    if promised is not None and left < (promised - SLACK) * rate:
        raise BadFile(
            path, f"is cut short: {left / rate:.2f} s are left of the {promised:.2f} s that it tells"
        )


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

    def cut(self, parts: Iterator[Samples], first: Any) -> Iterator[Samples]:
        """The parts from the first frame on, until the end of the packets where the time base is a sample."""
        if self.stream.time_base != Fraction(1, first.sample_rate) or first.pts is None:
            yield from parts
            return
        given, waiting = 0, np.zeros((len(first.layout.channels), 0), np.float32)
        for part in parts:
            waiting = np.concatenate([waiting, part], 1)
            n = max(0, self._end - first.pts - given)
            yield waiting[:, :n]
            given, waiting = given + min(n, waiting.shape[1]), waiting[:, n:]
        yield waiting[:, : max(0, 1 - given)]


def _planar(resampler: Any, frames: Iterator[Any]) -> Iterator[Samples]:
    for frame in chain(frames, [None]):
        for one in resampler.resample(frame):
            yield one.to_ndarray()


def _bounded(path: Path, parts: Iterator[Samples], most: int) -> Iterator[Samples]:
    total = 0
    for part in parts:
        total += part.size
        if total > most:
            raise BadFile(path, f"holds more than {most:,} samples, which is what is decoded")
        yield part
