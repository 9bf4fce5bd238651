"""Reads regular files up to a size limit; every failure is a `BadFile`."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from modaloom.core.errors import BadFile
from modaloom.modalities.member import Member

File = Path | Member
"""What values are read from."""


def check_file(path: File, *, limit: int) -> int:
    """Returns the size of a regular file, 1 to `limit` bytes. Rejects pipes and devices, which would block.

    Raises `BadFile`.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise BadFile(path, f"cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(facts.st_mode):
        raise BadFile(path, "is no regular file")
    if facts.st_size > limit:
        raise BadFile(path, f"is {facts.st_size:,} bytes; at most {limit:,} are read")
    if not facts.st_size:
        raise BadFile(path, "is empty")
    return facts.st_size


def read_bytes(path: File, *, limit: int) -> bytes:
    """Returns the bytes of a file that `check_file` takes. Raises `BadFile`."""
    check_file(path, limit=limit)
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadFile(path, f"cannot be read ({error.strerror})") from error


def read_text(path: File, *, limit: int) -> str:
    """Returns the file's UTF-8 text, without a byte order mark. Raises `BadFile`."""
    try:
        return read_bytes(path, limit=limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(path, f"is not UTF-8 text (byte {error.start})") from error


@contextmanager
def opened(path: File) -> Iterator[Path | BinaryIO]:
    """What a library takes that opens paths itself: the path, or a member, open. Raises `OSError`."""
    if isinstance(path, Path):
        yield path
    else:
        with path.open("rb") as file:
            yield file


def extent(path: File) -> tuple[Path, int, int]:
    """The file in which the bytes are, where they begin and how many they are. Raises `OSError`."""
    return (
        (path, 0, path.stat().st_size) if isinstance(path, Path) else (path.archive, path.offset, path.size)
    )
