"""What sound and video in the containers of FFmpeg share: PyAV, and when a track says it ends."""

import importlib
from typing import Any

from modaloom.core.errors import BadFile
from modaloom.modalities.files import File

HINT = "pip install 'modaloom[media]'"


def pyav(path: File) -> Any:
    """The module `av`. Raises `BadFile`, which names what to install."""
    try:
        return importlib.import_module("av")
    except ImportError:
        raise BadFile(path, f"is read and written by PyAV: {HINT}") from None


def converted(frame: Any, pixels: str, **size: int) -> Any:
    """A frame of pictures in a format of pixels, of `width` and `height` if given.

    By one thread: those of swscale give other values now and then.
    """
    return frame.reformat(format=pixels, threads=1, **size)


def picture_tracks(av: Any, source: Any) -> list[Any]:
    """The tracks of pictures but for covers."""
    cover = av.stream.Disposition.attached_pic
    return [track for track in source.streams.video if not track.disposition & cover]


def told_end(source: Any, stream: Any, time_base: int, start: float) -> float | None:
    """When a track, or a container of it alone, says it ends, in seconds; None: it does not say.

    A track lasts from its `start` on; what Matroska tells is counted from 0.
    """
    if stream.duration is not None:
        return start + float(stream.duration * stream.time_base)
    if tag := stream.metadata.get("DURATION"):  # Matroska: hours:minutes:seconds
        hours, minutes, seconds = map(float, tag.split(":"))
        return 3600 * hours + 60 * minutes + seconds
    alone = len(source.streams) == 1 and source.duration is not None
    return source.duration / time_base if alone else None
