"""Where the members of a tar archive lie, told from its headers alone; nothing is unpacked."""

import os
import posixpath
import tarfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from modaloom.core.errors import BadFile, short
from modaloom.data.walk import UNREADABLE, Problem
from modaloom.modalities.member import Member

MAX_HEADER = 2**15
"""Most bytes of a header: of paths and of what programs add to them."""
COMPRESSED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}
"""First bytes → what wrote them."""
NO_ACCESS = "its members cannot be read in any order; unpack it to a .tar"
PIECE = 2**20


class _Headers:
    """An open archive of which no more is read at once than a header may have."""

    def __init__(self, archive: Path, file: BinaryIO) -> None:
        self.archive, self.file, self.last = archive, file, "its start"
        """`last`: the member that was read last."""
        self.seek, self.tell = file.seek, file.tell

    def read(self, n: int) -> bytes:
        if not 0 <= n <= MAX_HEADER:
            raise ValueError(f"a header claims {n:,} bytes; at most {MAX_HEADER:,} are read")
        return self.file.read(n)


def members(archive: Path) -> Iterator[Member | Problem]:
    """The files in an archive, in its order, and what is in it beside files and folders.

    Raises:
        BadFile: after the last member that is whole: it is cut short, damaged, compressed or no tar.
    """
    try:
        file = archive.open("rb")
    except OSError as error:
        raise BadFile(archive, f"cannot be read ({error.strerror})") from error
    with file:
        headers = _Headers(archive, file)
        try:
            yield from _entries(headers)
        except BadFile:
            raise
        except Exception as error:  # tarfile raises nearly anything on damaged headers
            raise BadFile(archive, f"is damaged after {headers.last} ({short(str(error))})") from error


def _entries(headers: _Headers) -> Iterator[Member | Problem]:
    archive, file = headers.archive, headers.file
    if writer := COMPRESSED.get(file.read(2)):
        raise BadFile(archive, f"is compressed ({writer}): {NO_ACCESS}")
    size, end = file.seek(0, os.SEEK_END), file.seek(0)
    tar = tarfile.TarFile(fileobj=headers, errors="surrogateescape")  # type: ignore[arg-type]
    while (found := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # or it keeps all
        plain = found.isreg() and not found.issparse()
        if found.size < 0 or found.offset_data < end:
            raise ValueError("a header claims a size below 0")
        if (end := found.offset_data + (found.size if plain else 0)) > size:
            raise BadFile(archive, f"is cut short in its member {short(found.name)}")
        headers.last = short(found.name)
        path = posixpath.normpath(found.name) if "/" in found.name else found.name
        if reason := _reason(found, plain):
            yield Problem(path, reason)
        elif plain:
            yield Member(archive, path, found.offset_data, found.size)
    _check_end(headers, tar.offset)


def _reason(found: tarfile.TarInfo, plain: bool) -> str:
    """Why a member is left out; empty if it is not, or is a folder."""
    if not plain:
        return "" if found.isdir() else "is a link, a device or another member that is no plain file"
    if found.name.startswith("/") or ".." in found.name.split("/"):
        return "has a path that leads out of the archive"
    printable = found.name.isprintable()
    if not printable and any(unicodedata.category(character) in UNREADABLE for character in found.name):
        return "has a name that is not UTF-8, or has control characters"
    return ""


def _check_end(headers: _Headers, place: int) -> None:
    """Raises `BadFile` unless two blocks of zeros follow, and nothing else."""
    file, last = headers.file, headers.last
    file.seek(place)
    blocks = file.read(2 * tarfile.BLOCKSIZE)
    if len(blocks) < 2 * tarfile.BLOCKSIZE and not any(blocks):
        raise BadFile(headers.archive, f"has no end: it may be cut short after {last}")
    while blocks:
        if any(blocks):
            raise BadFile(headers.archive, f"has more after {last}, which cannot be read as members")
        blocks = file.read(PIECE)
