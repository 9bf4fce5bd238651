"""A file in a cell of a Parquet table, as Hugging Face's datasets keep pictures and sounds."""

import errno
import importlib
import io
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from modaloom.modalities.member import resized

NUM_CACHED = 4
"""Row groups of columns that are kept in memory."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """The field `bytes` of a cell, read as a `Path` is, with its row group."""

    table: Path
    column: str
    group: int
    row: int
    """In its row group."""
    name: str
    """What the file is called."""
    size: int
    """In bytes."""

    def __str__(self) -> str:
        return f"{self.table}/{self.column}/{self.group}-{self.row}/{self.name}"

    @property
    def suffix(self) -> str:
        """The end of its name from the last dot on."""
        return os.path.splitext(self.name)[1]

    def stat(self) -> os.stat_result:
        """Mode and times of the table, its own size. Raises `OSError`."""
        return resized(self.table.stat(), self.size)

    def open(self, mode: Literal["rb"]) -> io.BytesIO:
        """Its bytes as a file that can be sought. Raises `OSError`."""
        return io.BytesIO(self.read_bytes())

    def read_bytes(self) -> bytes:
        """All of it. Raises `OSError`."""
        try:
            cells = _cells(self.table, self.table.stat().st_mtime_ns, self.group, self.column)
            data: bytes = cells[self.row].as_py()
        except OSError:
            raise
        except Exception as error:  # pyarrow raises nearly anything on damaged data
            raise OSError(errno.EIO, "its table cannot be read", str(self)) from error
        return data


@lru_cache(maxsize=NUM_CACHED)
def _cells(table: Path, changed: int, group: int, column: str) -> Any:
    """The bytes of a row group."""
    with importlib.import_module("pyarrow.parquet").ParquetFile(table) as file:
        return file.read_row_group(group, columns=[column]).column(0).combine_chunks().field("bytes")
