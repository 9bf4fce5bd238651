"""Moving pictures in the containers of FFmpeg, by PyAV: MPEG-4, Matroska, WebM, AVI."""

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from modaloom.core.errors import BadFile
from modaloom.modalities.container import converted, pyav, told_end
from modaloom.modalities.files import File
from modaloom.modalities.image import MAX_PIXELS
from modaloom.modalities.video_grid import grid_of
from modaloom.modalities.video_header import opened
from modaloom.modalities.video_value import MAX_FRAMES, Frame, Video

SLACK = 0.2
"""Seconds that a container's duration may be longer than its frames."""
USUAL_FPS = 25
"""Of a file that tells nothing."""
CROP = "modaloom: {width}x{height} pixels"
"""Comment in a file whose frames were lengthened to even sizes."""
CROPPED = re.compile(r"modaloom: (\d+)x(\d+) pixels")


def open_video(path: File, container: str) -> Video:
    """File → clip: the first track of pictures, by presentation time, upright.

    All of it is decoded once here, a frame at a time, so that what is damaged or short is found; frames are
    decoded again when they are asked for. The file is opened here and nothing else is: FFmpeg gets no name.

    Args:
        path: a regular file.
        container: FFmpeg's name of its format.

    Raises:
        BadFile: no pictures, too many or too large ones, or fewer than the container says; FFmpeg's own
            errors otherwise.
    """
    with closing(_shown(path, container)) as shown:
        first = next(shown, None)
        if first is None:
            raise BadFile(path, "holds no frames; it is empty or cut short")
        times, end = [first.time], first.end
        for one in islice(shown, MAX_FRAMES):
            times.append(one.time)
            end = one.end
    if len(times) > MAX_FRAMES:
        raise BadFile(path, f"has more than {MAX_FRAMES:,} frames")
    told = first.told
    grid = grid_of(times, end, told.rates)
    if told.end is not None and end < told.end - max(SLACK, 2 / float(grid.fps)):
        left, whole = f"{end - times[0]:.2f} s", f"{told.end - times[0]:.2f} s"
        raise BadFile(path, f"is cut short: {left} are left of the {whole} that it tells")
    height, width, _ = first.rgb(told).shape

    def scan() -> Iterator[Frame]:
        with closing(_shown(path, container)) as again:
            yield from grid.fill((one.time, one.rgb(told)) for one in again)

    return Video(scan, grid.length, height, width, grid.fps)


@dataclass(frozen=True)
class _Told:
    """What a container says of its first track of pictures."""

    rates: tuple[Any, ...]
    end: float | None
    """When it ends, in seconds."""
    crop: tuple[int, int] | None
    """Height and width."""
    size: tuple[int, int]
    """Width and height of the first frame, not yet upright."""
    turns: int
    """Quarter turns that make it upright, against the clock."""


@dataclass(frozen=True)
class _Shown:
    """A decoded frame, and when it is shown, in seconds."""

    frame: Any
    time: float
    end: float
    told: _Told

    def rgb(self, told: _Told) -> Frame:
        """Upright RGB of the first frame's size, alpha on white."""
        frame, (width, height) = self.frame, told.size
        clear = any(part.is_alpha for part in frame.format.components) or frame.format.has_palette
        shown = converted(frame, "rgba" if clear else "rgb24", width=width, height=height)
        pixels = shown.to_ndarray()
        if clear:
            pixels = on_white(pixels)
        if told.crop is not None:
            pixels = pixels[: told.crop[0], : told.crop[1]]
        return np.ascontiguousarray(np.rot90(pixels, told.turns))


def on_white(pixels: Frame) -> Frame:
    """RGBA (H, W, 4) → RGB on white."""
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _shown(path: File, container: str) -> Generator[_Shown, None, None]:
    """The frames of the first track of pictures."""
    with opened(path, container) as (source, tracks):
        track, told, end = tracks[0], None, 0.0
        for packet in source.demux(track):
            for frame in packet.decode():
                time = end if frame.pts is None else float(frame.pts * track.time_base)
                told = told or _told(path, source, track, frame, time)
                usual = 1 / (told.rates[0] or USUAL_FPS)
                end = time + float(frame.duration * track.time_base if frame.duration else usual)
                yield _Shown(frame, time, end, told)


def _told(path: File, source: Any, track: Any, frame: Any, start: float) -> _Told:
    """Of a track whose first frame is shown at `start`."""
    if frame.width * frame.height > MAX_PIXELS:
        raise BadFile(path, f"is {frame.width}×{frame.height} pixels; at most {MAX_PIXELS:,} are decoded")
    return _Told(
        (track.average_rate, track.guessed_rate),
        told_end(source, track, pyav(path).time_base, start),
        _crop(source, frame),
        (frame.width, frame.height),
        round(frame.rotation / 90) % 4,
    )


def _crop(source: Any, frame: Any) -> tuple[int, int] | None:
    """Height and width without what lengthened them; None: no comment, or one that another size outlived."""
    metadata = {key.lower(): value for key, value in source.metadata.items()}
    found = CROPPED.fullmatch(metadata.get("comment", ""))
    if found is None:
        return None
    width, height = int(found[1]), int(found[2])
    lengthened = width + width % 2, height + height % 2
    return (height, width) if (frame.width, frame.height) == lengthened else None
