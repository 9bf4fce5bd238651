"""A file inside an archive, at a place where its bytes lie as they are."""

import errno
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Member:
    """Some bytes of a file under a name of their own, read as a `Path` is."""

    archive: Path
    path: str
    """In the archive, with slashes."""
    offset: int
    """Of its first byte in the archive."""
    size: int
    """In bytes."""

    def __str__(self) -> str:
        return f"{self.archive}/{self.path}"

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The end of its name from the last dot on."""
        return os.path.splitext(self.name)[1]

    def stat(self) -> os.stat_result:
        """Mode and times of the archive, its own size. Raises `OSError`."""
        return resized(self.archive.stat(), self.size)

    def open(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Its bytes as a file that can be sought. Raises `OSError`."""
        return io.BufferedReader(_Part(self))

    def read_bytes(self) -> bytes:
        """All of it. Raises `OSError`, also where the archive ends before it does."""
        with self.archive.open("rb", buffering=0) as file:
            file.seek(self.offset)
            data = file.read(self.size)
        if len(data) < self.size:
            raise OSError(errno.EIO, "its archive is shorter than it was", str(self))
        return data


def resized(facts: os.stat_result, size: int) -> os.stat_result:
    """The facts of a file with another size."""
    times = {name: getattr(facts, name) for name in ("st_atime_ns", "st_mtime_ns", "st_ctime_ns")}
    return os.stat_result((*facts[:6], size, *facts[7:]), times)


class _Part(io.RawIOBase):
    """The bytes of a member; the archive is open as long as this is."""

    def __init__(self, member: Member) -> None:
        self._file, self.name = member.archive.open("rb", buffering=0), str(member)
        self._start, self._size, self._place = member.offset, member.size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if origin + offset < 0:
            raise OSError(errno.EINVAL, "cannot seek before its start")
        self._place = origin + offset
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = max(0, min(len(buffer), self._size - self._place))
        self._file.seek(self._start + self._place)
        found = self._file.readinto(memoryview(buffer)[:wanted])
        self._place += found
        return found

    def close(self) -> None:
        self._file.close()
        super().close()
