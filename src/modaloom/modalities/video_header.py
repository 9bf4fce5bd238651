"""What a container tells of its tracks before its pictures are decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from modaloom.core.errors import BadFile
from modaloom.modalities.container import picture_tracks, pyav
from modaloom.modalities.files import File
from modaloom.modalities.video_grid import grid_of

MAX_REORDERED = 32
"""Packets by which the orders of decoding and of presentation differ at most."""
MAX_TIMED = 10_000
"""Packets by which a rate is told to be variable."""


@dataclass(frozen=True)
class Header:
    """Facts of the first track of pictures."""

    tracks: int
    """Tracks of pictures, this one among them."""
    bits: int
    """Of a channel."""
    interlaced: bool
    square: bool
    """Whether its pixels are."""
    regular: bool
    """Whether its rate is constant."""


@contextmanager
def opened(path: File, container: str) -> Iterator[tuple[Any, Any]]:
    """An open container, and its tracks of pictures but for covers. FFmpeg gets an open file and no name.

    Raises `BadFile` if there are none, and FFmpeg's errors.
    """
    av = pyav(path)
    with path.open("rb") as file, av.open(file, format=container) as source:
        tracks = picture_tracks(av, source)
        if not tracks:
            raise BadFile(path, "has no pictures; give a file of sound alone the suffix .mka, .m4a or .wav")
        yield source, tracks


def has_sound(path: File, container: str) -> bool:
    """Whether a file of pictures has a track of sound, too. Raises as `opened`."""
    with opened(path, container) as (source, _):
        return bool(source.streams.audio)


def header_of(path: File, container: str) -> Header:
    """The facts of a file. Raises as `opened`."""
    with opened(path, container) as (source, tracks):
        track = tracks[0]
        packets = [one for one in islice(source.demux(track), MAX_TIMED) if one.pts is not None]
        timed = sorted((one.pts, one.duration or 0) for one in packets)
        if len(packets) == MAX_TIMED:  # packets come in the order of decoding: frames before the last lack
            timed = timed[:-MAX_REORDERED]
        times = [float(pts * track.time_base) for pts, _ in timed]
        end = float(sum(timed[-1]) * track.time_base)
    with opened(path, container) as (source, tracks):
        frame = next(source.decode(tracks[0]))
        shape = tracks[0].sample_aspect_ratio
        return Header(
            tracks=len(tracks),
            bits=max(part.bits for part in frame.format.components),
            interlaced=frame.interlaced_frame,
            square=not shape or shape == 1,
            regular=grid_of(times, end, (track.average_rate,)).regular,
        )
