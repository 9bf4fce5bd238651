"""Formats of sound files: told by their first bytes, and whether a file ends where it says.

Readers of sound return what is left of a file that was cut short, without an error.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEAD = 16
"""Bytes that tell a format."""
MAX_CHUNKS = 1_000
UNKNOWN_SIZE = 0xFFFFFFFF
"""Size of the samples of a wav file that was written to a pipe."""
OGG_PAGE, OGG_HEADER, OGG_END = 65_307, 27, 4
"""Largest page, bytes before its table of segments, and the flag of a last page."""


def wav_ends(file: BinaryIO, size: int) -> bool:
    """Whether a wav file has as many bytes of samples as its header says; of RF64 and RIFX it is not told."""
    file.seek(0)
    for _ in range(MAX_CHUNKS if file.read(12).startswith(b"RIFF") else 0):
        head = file.read(8)
        if len(head) < 8:
            return True
        name, length = struct.unpack("<4sI", head)
        if name == b"data":
            return bool(length == UNKNOWN_SIZE or file.tell() + length <= size)
        file.seek(length + length % 2, 1)
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


def always(file: BinaryIO, size: int) -> bool:
    """Of formats whose readers tell how much there should be."""
    return True


@dataclass(frozen=True)
class SoundFormat:
    """A format of files."""

    suffixes: tuple[str, ...]
    """In lower case; those of videos are of their sound."""
    container: str = ""
    """What FFmpeg calls it, if it is read by FFmpeg; empty: by libsndfile."""
    ends: Callable[[BinaryIO, int], bool] = always
    """(open file, its size) → whether nothing is missing at its end."""


FORMATS: Mapping[str, SoundFormat] = {
    "wav": SoundFormat(("wav",), ends=wav_ends),
    "FLAC": SoundFormat(("flac",)),
    "Ogg": SoundFormat(("ogg", "opus"), ends=ogg_ends),
    "MP3": SoundFormat(("mp3",)),
    "MPEG-4": SoundFormat(("m4a", "mp4", "mov"), "mov"),
    "AAC": SoundFormat(("aac",), "aac"),
    "Matroska": SoundFormat(("mka", "mkv", "webm"), "matroska"),
    "G.722": SoundFormat(("g722",), "g722"),
}
VIDEO_SUFFIXES = ("mp4", "mov", "mkv", "webm")
"""Their sound is read where such a file is given; in a folder they are videos, of which it is a track."""
SUFFIXES = tuple(s for one in FORMATS.values() for s in one.suffixes if s not in VIDEO_SUFFIXES)
READ = (*SUFFIXES, *VIDEO_SUFFIXES)
MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", "wav"),
    (0, b"fLaC", "FLAC"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MP3"),
    (4, b"ftyp", "MPEG-4"),
    (4, b"moov", "MPEG-4"),
    (4, b"mdat", "MPEG-4"),
    (4, b"wide", "MPEG-4"),
    (0, b"\x1aE\xdf\xa3", "Matroska"),
)
"""(Offset, bytes, format)."""
BARE: Mapping[str, str] = {"g722": "G.722"}
"""Suffix → format of files that are nothing but codes."""
SYNC: tuple[tuple[int, int, str], ...] = ((0xFFF6, 0xFFF0, "AAC"), (0xFFE0, 0xFFE0, "MP3"))
"""(Mask, value, format) of the first two bytes of a stream of frames without a header."""


def format_of(head: bytes, path: Path) -> str | None:
    """The format of a file that begins with these bytes, by its suffix only if it is a bare one; None: no
    known one."""
    for offset, magic, name in MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return name
    if bare := BARE.get(path.suffix[1:].lower()):
        return bare
    first = int.from_bytes(head[:2])
    return next((name for mask, value, name in SYNC if first & mask == value), None)


def sniffed(path: Path) -> str | None:
    """The format of a file by its content. Raises `OSError`."""
    with path.open("rb") as file:
        return format_of(file.read(HEAD), path)
