"""Files of moving pictures: containers by FFmpeg, animated GIF and WebP by Pillow."""

from collections.abc import Collection
from pathlib import Path

from modaloom.core.errors import BadFile, BadValue, short
from modaloom.modalities.files import check_file
from modaloom.modalities.video_container import open_video
from modaloom.modalities.video_format import FORMATS, HEAD, READ, format_of, sniffed
from modaloom.modalities.video_header import has_sound
from modaloom.modalities.video_pictures import open_pictures
from modaloom.modalities.video_value import Video

MAX_BYTES = 2**36


def read(path: Path) -> Video:
    """Opens a clip of any size and rate; formats are told by content. Its frames are decoded once, to find
    what is damaged, and again, one by one, when they are asked for.

    Raises `BadFile` for files that are cut short, empty, damaged, too large, or of no known format or suffix.
    """
    size = check_file(path, limit=MAX_BYTES)
    try:
        return _opened(path, size)
    except BadFile:
        raise
    except BadValue as error:
        raise BadFile(path, str(error)) from error
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise BadFile(path, f"cannot be decoded as a video ({short(str(error))})") from error


def _opened(path: Path, size: int) -> Video:
    with path.open("rb") as file:
        name = format_of(file.read(HEAD))
        if name is None:
            raise BadFile(path, "cannot be decoded as a video (it is of no known format)")
        if path.suffix[1:].lower() not in READ:
            suffixes = ", ".join(f".{suffix}" for suffix in READ)
            raise BadFile(path, f"holds {name} data, and its name ends in no suffix of a video ({suffixes})")
        if not FORMATS[name].ends(file, size):
            raise BadFile(path, "is cut short: its end is missing")
    if container := FORMATS[name].container:
        return open_video(path, container)
    return open_pictures(path)


def parts(path: Path) -> Collection[str]:
    """What a file holds beside its pictures: `sound`, or nothing. What cannot be opened holds nothing."""
    try:
        container = FORMATS[sniffed(path) or "picture"].container
        return ["sound"] if container and has_sound(path, container) else []
    except Exception:  # decoders raise nearly anything on damaged data, which reading will name
        return []
