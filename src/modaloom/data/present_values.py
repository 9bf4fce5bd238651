"""The values of several caches as one sequence, without absent ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.data.cache import CachedArray
from modaloom.data.ragged import RaggedArray

Cached = CachedArray | RaggedArray


@dataclass(frozen=True)
class PresentValues:
    """The m values that some rows of several caches have, cache by cache; they are read by indexing."""

    caches: Sequence[Cached]
    cache: NDArray[np.int64]
    """(m,): index in `caches` of each value."""
    row: NDArray[np.int64]
    """(m,): row of each value in its cache."""

    @classmethod
    def of(cls, caches: Sequence[Cached], rows: NDArray[np.int64]) -> "PresentValues":
        """The values of at least one cache in these rows."""
        there = [rows[cache.present[rows]] for cache in caches]
        return cls(caches, np.arange(len(caches)).repeat([*map(len, there)]), np.concatenate(there))

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, places: slice | NDArray[np.int64]) -> list[NDArray[Any]]:
        """The memory-mapped values at these places in the sequence, each of the shape of a row; of a ragged
        cache of its own."""
        arrays = [cache.array for cache in self.caches]
        return [arrays[c][row] for c, row in zip(self.cache[places].tolist(), self.row[places].tolist())]
