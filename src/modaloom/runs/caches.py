"""Caches of a run: sample keys, prepared values, codes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.json_text import from_json
from modaloom.data.ragged import RaggedArray, read_ragged

CACHE, KEYS = "cache", "keys.json"
"""Name of the cache folder, and of the file with the keys and splits of its rows."""


@dataclass(frozen=True)
class Caches:
    """The training rows of a run's caches."""

    folder: Path
    keys: list[str]
    rows: list[int]
    """Row of each key in the arrays."""

    @classmethod
    def of(cls, run: Path) -> "Caches | None":
        """Caches of a run folder; None if it has none."""
        folder = run / CACHE
        try:
            facts = from_json((folder / KEYS).read_text(encoding="utf-8"))
            rows = [i for i, split in enumerate(facts["splits"]) if split == "train"]
            return cls(folder, [facts["keys"][i] for i in rows], rows)
        except (OSError, ValueError, LookupError):
            return None

    def arrays(self, kind: str) -> dict[str, NDArray[Any]]:
        """Stream → memory-mapped array (n, …) of `prepared` values or `codes`, all rows.

        Raises `OSError` or `ValueError` if one is damaged.
        """
        paths = [p for p in self.folder.glob(f"{kind}.*.npy") if not p.name.endswith(".present.npy")]
        return {_stream(path, kind): np.load(path, mmap_mode="r") for path in paths}

    def ragged(self, kind: str, stream: str) -> RaggedArray | None:
        """Values of different sizes of a stream, all rows; None: they have one size.

        Raises `OSError` or `ValueError` if they are damaged.
        """
        path = next(iter(self.folder.glob(f"{kind}.{stream}-*.raw")), None)
        return None if path is None else read_ragged(path.with_suffix(".npy"))

    def present(self, kind: str, stream: str) -> NDArray[np.bool_]:
        """(n,): which rows of `arrays` have a value. Raises `LookupError`, `OSError` or `ValueError`."""
        path = next(iter(self.folder.glob(f"{kind}.{stream}-*.present.npy")), None)
        if path is None:
            raise LookupError(f"{self.folder} does not say which samples have {stream}")
        found: NDArray[np.bool_] = np.load(path)
        return found


def _stream(path: Path, kind: str) -> str:
    return path.name.removeprefix(f"{kind}.").rsplit("-", 1)[0]
