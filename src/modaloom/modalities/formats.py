"""Formats of files that are told by their first bytes, and whether a file ends where it should.

Many readers return what is left of a file that was cut short, without an error.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from modaloom.core.errors import BadFile
from modaloom.modalities.files import File

HEAD = 16
"""Bytes that tell a format."""

Magic = Sequence[tuple[int, bytes, str]]
"""(Offset, bytes, format)."""
CONTAINERS: Magic = (
    (4, b"ftyp", "MPEG-4"),
    (4, b"moov", "MPEG-4"),
    (4, b"mdat", "MPEG-4"),
    (4, b"wide", "MPEG-4"),
    (0, b"\x1aE\xdf\xa3", "Matroska"),
    (8, b"AVI ", "AVI"),
)
"""Of sound and of video."""


def always(file: BinaryIO, size: int) -> bool:
    """Of formats whose readers tell how much there should be."""
    return True


def riff_ends(file: BinaryIO, size: int) -> bool:
    """Whether a RIFF file (AVI, WebP) is as long as it says."""
    file.seek(4)
    return bool(struct.unpack("<I", file.read(4))[0] + 8 <= size)


@dataclass(frozen=True)
class FileFormat:
    """A format of files."""

    suffixes: tuple[str, ...]
    """In lower case."""
    container: str = ""
    """What FFmpeg calls it, if it is read by FFmpeg; empty: by another library."""
    ends: Callable[[BinaryIO, int], bool] = always
    """(open file, its size) → whether nothing is missing at its end."""
    is_one: Callable[[BinaryIO, int], bool] = always
    """(open file, its size) → whether it is not several files, one after another."""


@dataclass(frozen=True)
class Formats:
    """The formats of a kind of files."""

    kind: str
    """In sentences: sound, video."""
    table: Mapping[str, FileFormat]
    """Name → format."""
    format_of: Callable[[bytes, File], str | None]
    """(First bytes of a file, its path) → the name of its format; None: no known one."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Those of all formats."""
        return tuple(suffix for one in self.table.values() for suffix in one.suffixes)

    def sniffed(self, path: File) -> str | None:
        """The name of a file's format by its content; None: no known one. Raises `OSError`."""
        with path.open("rb") as file:
            return self.format_of(file.read(HEAD), path)

    def checked(self, path: File, size: int) -> FileFormat:
        """The format of a file of so many bytes. Raises `BadFile` for one of no known format or suffix, or
        that is cut short, and `OSError`."""
        name = self.sniffed(path)
        if name is None:
            raise BadFile(path, f"cannot be decoded as a {self.kind}: it is of no known format; convert it")
        if path.suffix[1:].lower() not in self.suffixes:
            allowed = ", ".join(f".{suffix}" for suffix in self.suffixes)
            raise BadFile(
                path, f"holds {name} data, and its name ends in no suffix of a {self.kind} ({allowed})"
            )
        with path.open("rb") as file:
            if not self.table[name].ends(file, size):
                raise BadFile(path, "is cut short: its end is missing")
            if not self.table[name].is_one(file, size):
                raise BadFile(path, f"is several {self.kind}s, one after another; make one of them")
        return self.table[name]

    def remarks(self, path: File, of: Callable[[File, FileFormat], Iterator[str]]) -> Iterator[str]:
        """What is to be said of a file: that its suffix is another format's, and what `of` finds."""
        try:
            name = self.sniffed(path)
            if name is None:
                return
            if path.suffix[1:].lower() not in self.table[name].suffixes:
                yield f"hold {name} data under another suffix, and are read by their content"
            yield from of(path, self.table[name])
        except Exception:  # decoders raise nearly anything on damaged data, which reading will name
            return


def by_magic(head: bytes, magic: Magic) -> str | None:
    """The first format whose bytes stand at their place; None: there is none."""
    return next((name for offset, mark, name in magic if head[offset : offset + len(mark)] == mark), None)
