"""The samples of tar shards, by an index of their members; any is made when it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from modaloom.core.types import Sample
from modaloom.modalities.member import Member


@dataclass(frozen=True)
class Rows:
    """m values of streams, those of a sample one after another; 30 bytes and its path for each."""

    archives: Sequence[Path]
    streams: Sequence[str]
    archive: NDArray[np.int32]
    """(m,), in `archives`."""
    stream: NDArray[np.int32]
    """(m,), in `streams`."""
    offset: NDArray[np.int64]
    """(m,), bytes in the archive."""
    size: NDArray[np.int64]
    """(m,), in bytes."""
    paths: bytearray
    """In the archives, one after another, UTF-8."""
    ends: NDArray[np.int64]
    """(m + 1,): that of path i - 1 is where path i begins."""

    def member(self, row: int) -> Member:
        """Where the value is."""
        path = self.paths[self.ends[row] : self.ends[row + 1]].decode()
        archive = self.archives[self.archive[row]]
        return Member(archive, path, int(self.offset[row]), int(self.size[row]))


@dataclass(frozen=True, eq=False)
class TarSamples(Sequence[Sample]):
    """n samples, sorted by key; a slice of them is a view."""

    rows: Rows
    keys: Sequence[str]
    first: NDArray[np.int64]
    """(n,): the first row of each."""
    end: NDArray[np.int64]
    """(n,): the row after its last."""

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, place: int) -> Sample: ...
    @overload
    def __getitem__(self, place: slice) -> "TarSamples": ...
    def __getitem__(self, place: int | slice) -> "Sample | TarSamples":
        if isinstance(place, slice):
            return replace(self, keys=self.keys[place], first=self.first[place], end=self.end[place])
        rows = range(self.first[place], self.end[place])
        found = {self.rows.streams[self.rows.stream[row]]: self.rows.member(row) for row in rows}
        return Sample(self.keys[place], dict(sorted(found.items())))
