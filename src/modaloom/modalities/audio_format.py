"""Formats of sound files: told by their first bytes, and whether a file ends where it says."""

import struct
from collections.abc import Mapping
from typing import BinaryIO

from modaloom.modalities.files import File
from modaloom.modalities.formats import CONTAINERS, FileFormat, Formats, Magic, by_magic, riff_ends

MAX_CHUNKS = 1_000
UNKNOWN_SIZE = 0xFFFFFFFF
"""Size of the samples of a wav file that was written to a pipe, or, in RF64, stands in the chunk ds64."""
OGG_PAGE, OGG_HEADER, OGG_END = 65_307, 27, 4
"""Largest page, bytes before its table of segments, and the flag of a last page."""
SERIAL = slice(14, 18)
"""Bytes of a page that tell its stream."""


def wav_ends(file: BinaryIO, size: int) -> bool:
    """Whether a wav file has as many bytes of samples as its header says."""
    file.seek(0)
    chunk, large = ">4sI" if file.read(12).startswith(b"RIFX") else "<4sI", 0
    for _ in range(MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return True
        name, length = struct.unpack(chunk, head)
        if name == b"data":
            told = large if length == UNKNOWN_SIZE else length
            return file.tell() + told <= size
        start = file.tell()
        if name == b"ds64":
            large = int.from_bytes(file.read(16)[8:], "little")
        file.seek(start + length + length % 2)
    return True


def ogg_ends(file: BinaryIO, size: int) -> bool:
    """Whether the last page of an Ogg file is whole and marked as the last."""
    file.seek(max(0, size - 2 * OGG_PAGE))
    rest = file.read()
    page = rest[max(0, rest.rfind(b"OggS")) :]
    if len(page) < OGG_HEADER:
        return False
    segments = page[OGG_HEADER : OGG_HEADER + page[OGG_HEADER - 1]]
    return len(page) >= OGG_HEADER + len(segments) + sum(segments) and bool(page[5] & OGG_END)


def ogg_is_one(file: BinaryIO, size: int) -> bool:
    """Whether the first and the last page of an Ogg file are of the same stream."""
    file.seek(0)
    first = file.read(SERIAL.stop)
    file.seek(max(0, size - 2 * OGG_PAGE))
    rest = file.read()
    return rest[max(0, rest.rfind(b"OggS")) :][SERIAL] == first[SERIAL]


FORMATS: Mapping[str, FileFormat] = {
    "wav": FileFormat(("wav",), ends=wav_ends),
    "FLAC": FileFormat(("flac",)),
    "Ogg": FileFormat(("ogg", "opus"), ends=ogg_ends, is_one=ogg_is_one),
    "MP3": FileFormat(("mp3",)),
    "MPEG-4": FileFormat(("m4a", "mp4", "mov"), "mov"),
    "AAC": FileFormat(("aac",), "aac"),
    "Matroska": FileFormat(("mka", "mkv", "webm"), "matroska"),
    "AVI": FileFormat(("avi",), "avi", riff_ends),
    "G.722": FileFormat(("g722",), "g722"),
}
VIDEO_SUFFIXES = ("mp4", "mov", "mkv", "webm", "avi")
"""Their sound is read where such a file is given; in a folder they are videos, of which it is a track."""
SUFFIXES = tuple(s for one in FORMATS.values() for s in one.suffixes if s not in VIDEO_SUFFIXES)
MAGIC: Magic = (
    (8, b"WAVE", "wav"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MP3"),
    *CONTAINERS,
)
BARE: Mapping[str, str] = {"g722": "G.722"}
"""Suffix → format of files that are nothing but codes."""
SYNC: tuple[tuple[int, int, str], ...] = ((0xFFF6, 0xFFF0, "AAC"), (0xFFE0, 0xFFE0, "MP3"))
"""(Mask, value, format) of the first two bytes of a stream of frames without a header."""


def format_of(head: bytes, path: File) -> str | None:
    """The format of a file that begins with these bytes, by its suffix only if it is a bare one; None: no
    known one."""
    if name := by_magic(head, MAGIC):
        return name
    if bare := BARE.get(path.suffix[1:].lower()):
        return bare
    first = int.from_bytes(head[:2])
    return next((name for mask, value, name in SYNC if first & mask == value), None)


SOUNDS = Formats("sound", FORMATS, format_of)
