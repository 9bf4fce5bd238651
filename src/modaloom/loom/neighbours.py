"""Nearest training sample of a generated sample, by equal codes in the run's caches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.loom.layout import FieldLayout
from modaloom.runs.caches import Caches

CHUNK_SIZE = 4096
"""Training samples that are compared at a time."""


@dataclass(frozen=True)
class Neighbours:
    """Keys and codes of the training samples; empty if the run has no caches."""

    keys: list[str] = field(default_factory=list)
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """(n,): row of each key in `codes`."""
    codes: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Stream → (N, L, Q), memory-mapped."""

    @classmethod
    def of(cls, run: Path) -> "Neighbours":
        """Open the caches of a run folder."""
        caches = Caches.of(run)
        if caches is None:
            return cls()
        try:
            codes = caches.arrays("codes")
        except (OSError, ValueError, LookupError):
            return cls()
        rows = np.array(caches.rows, np.int64)
        fits = all(rows.max(initial=-1) < len(array) for array in codes.values())
        return cls(caches.keys, rows, codes) if fits else cls()

    def nearest(self, layout: FieldLayout, codes: Mapping[str, Tensor]) -> str | None:
        """Key of the training sample with the most equal codes; None if no stream has cached codes.

        Args:
            layout: of the run's Loom.
            codes: stream → int64 (L, Q), those of one sample; of a longer one its beginning counts.
        """
        streams = [name for name in codes if name in self.codes]
        if not streams:
            return None
        equal = np.zeros(len(self.keys))
        for name in streams:
            num_codes = layout.num_codes(name)
            here = layout.split({name: codes[name][None, : layout.streams[name].num_positions]})
            for i in range(0, len(equal), CHUNK_SIZE):
                chunk = self.codes[name][self.rows[i : i + CHUNK_SIZE]].astype(np.int64)
                there = layout.split({name: torch.from_numpy(chunk)})
                same = sum((here[part] == there[part]).sum((1, 2)) for part in here)
                equal[i : i + CHUNK_SIZE] += np.asarray(same) / num_codes
        return self.keys[int(equal.argmax())]
