"""Formats of files of moving pictures, told by their first bytes, and whether they end where they should."""

from collections.abc import Mapping
from typing import BinaryIO

from modaloom.modalities.files import File
from modaloom.modalities.formats import CONTAINERS, FileFormat, Formats, Magic, by_magic, riff_ends

MAX_BOXES, LONG_BOX = 100_000, 1
"""Boxes of an MPEG-4 file that are looked at, and the length that says that a longer one follows."""
GIF_END, GIF_PICTURE, GIF_EXTENSION = b";", b",", b"!"


def gif_ends(file: BinaryIO, size: int) -> bool:
    """Whether the blocks of a GIF (89a, §12 to 27) go on to its trailer; whatever follows that is no part."""
    file.seek(10)
    file.seek(13 + _colours(file.read(1)))
    while (kind := file.read(1)) != GIF_END:
        if kind == GIF_PICTURE:
            file.seek(_colours(file.read(9)[8:]) + 1, 1)
        elif kind == GIF_EXTENSION:
            file.seek(1, 1)
        else:
            return False
        while length := file.read(1):
            if length == b"\0":
                break
            file.seek(length[0], 1)
    return True


def _colours(flags: bytes) -> int:
    """Bytes of a table of colours, 0 if there is none."""
    return 3 << (1 + (flags[0] & 7)) if flags and flags[0] & 0x80 else 0


def boxes_end(file: BinaryIO, size: int) -> bool:
    """Whether the boxes of an MPEG-4 file, each of which tells its length, end where the file does."""
    place = 0
    for _ in range(MAX_BOXES):
        if size - place < 8:
            break
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4])
        if length == LONG_BOX:
            length = int.from_bytes(head[8:16])
        if not length:  # up to the end of the file
            return True
        place += max(length, 8)
    return place <= size


FORMATS: Mapping[str, FileFormat] = {
    "MPEG-4": FileFormat(("mp4", "mov"), "mov", boxes_end),
    "Matroska": FileFormat(("webm", "mkv"), "matroska"),
    "AVI": FileFormat(("avi",), "avi", riff_ends),
    "GIF": FileFormat(("gif",), ends=gif_ends),
    "WebP": FileFormat(("webp",), ends=riff_ends),
    "picture": FileFormat(("png", "jpg", "jpeg", "bmp", "tif", "tiff")),
}
SUFFIXES = tuple(suffix for one in FORMATS.values() if one.container for suffix in one.suffixes)
PICTURES = tuple(suffix for one in FORMATS.values() if not one.container for suffix in one.suffixes)
"""Suffixes of pictures, which are clips if they are animated, and else of one frame."""
MAGIC: Magic = (
    *CONTAINERS,
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WebP"),
    (0, b"\x89PNG", "picture"),
    (0, b"\xff\xd8\xff", "picture"),
    (0, b"BM", "picture"),
    (0, b"II", "picture"),
    (0, b"MM", "picture"),
)


def format_of(head: bytes, path: File) -> str | None:
    """The format of a file that begins with these bytes; None: no known one."""
    return by_magic(head, MAGIC)


VIDEOS = Formats("video", FORMATS, format_of)
