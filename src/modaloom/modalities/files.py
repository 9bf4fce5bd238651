"""How modalities open files: regular ones only, under a size limit, every failure a `BadFile`."""

import stat
from pathlib import Path

from modaloom.core.errors import BadFile


def read_bytes(path: Path, *, limit: int) -> bytes:
    """The file's bytes, 1 to `limit` of them. Pipes and devices are refused before they can block."""
    try:
        facts = path.stat()
        data = path.read_bytes() if stat.S_ISREG(facts.st_mode) and facts.st_size <= limit else b""
    except OSError as error:
        raise BadFile(path, f"cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(facts.st_mode):
        raise BadFile(path, "is no regular file")
    if facts.st_size > limit:
        raise BadFile(path, f"is {facts.st_size:,} bytes; at most {limit:,} are read")
    if not data:
        raise BadFile(path, "is empty")
    return data


def read_text(path: Path, *, limit: int) -> str:
    """The file's text, which must be UTF-8; a byte order mark is dropped."""
    try:
        return read_bytes(path, limit=limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(path, f"is not UTF-8 text (byte {error.start})") from error
