"""Files of moving pictures: containers by FFmpeg, animated GIF and WebP by Pillow."""

from collections.abc import Collection

from modaloom.core.errors import BadFile, BadValue, short
from modaloom.modalities.files import File, check_file
from modaloom.modalities.video_container import open_video
from modaloom.modalities.video_format import FORMATS, VIDEOS
from modaloom.modalities.video_header import has_sound
from modaloom.modalities.video_pictures import open_pictures
from modaloom.modalities.video_value import Video

MAX_BYTES = 2**36


def read(path: File) -> Video:
    """Opens a clip of any size and rate; formats are told by content. Its frames are decoded once, to find
    what is damaged, and again, one by one, when they are asked for.

    Raises `BadFile` for files that are cut short, empty, damaged, too large, or of no known format or suffix.
    """
    size = check_file(path, limit=MAX_BYTES)
    try:
        container = VIDEOS.checked(path, size).container
        return open_video(path, container) if container else open_pictures(path)
    except BadFile:
        raise
    except BadValue as error:
        raise BadFile(path, str(error)) from error
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise BadFile(path, f"cannot be decoded as a video ({short(str(error))})") from error


def parts(path: File) -> Collection[str]:
    """What a file holds beside its pictures: `sound`, or nothing. What cannot be opened holds nothing."""
    try:
        container = FORMATS[VIDEOS.sniffed(path) or "picture"].container
        return ["sound"] if container and has_sound(path, container) else []
    except Exception:  # decoders raise nearly anything on damaged data, which reading will name
        return []
