"""Reads regular files up to a size limit; every failure is a `BadFile`."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from modaloom.core.errors import BadFile
from modaloom.modalities.member import Member
from modaloom.modalities.table_file import TableFile

File = Path | Member | TableFile
"""What values are read from."""


def check_file(path: File, *, limit: int) -> int:
    """Returns the size of a regular file, 1 to `limit` bytes. Rejects pipes and devices, which would block.

    Raises `BadFile`.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise BadFile(path, f"cannot be read ({error.strerror})") from error
    except ValueError as error:  # a NUL in its name
        raise BadFile(repr(str(path)), f"cannot be read ({error})") from error
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


@contextmanager
def mapped(path: File) -> Iterator[tuple[mmap | bytes, int]]:
    """Memory with its bytes, which is read where it is used, and where they begin. Raises `OSError`."""
    match path:
        case TableFile():
            yield path.read_bytes(), 0
            return
        case Member():
            whole, start, end = path.archive, path.offset, path.offset + path.size
        case _:
            whole, start, end = path, 0, path.stat().st_size
    with whole.open("rb") as file, mmap(file.fileno(), end, access=ACCESS_READ) as data:
        yield data, start
