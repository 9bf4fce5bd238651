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


@dataclass(frozen=True)
class Neighbours:
    """Keys and codes of the training samples; empty if the run has no caches."""

    keys: list[str] = field(default_factory=list)
    codes: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Stream → (n, L, Q)."""

    @classmethod
    def of(cls, run: Path) -> "Neighbours":
        """Load from the caches of a run folder."""
        caches = Caches.of(run)
        if caches is None:
            return cls()
        try:
            codes = {name: array[caches.rows] for name, array in caches.arrays("codes").items()}
            return cls(caches.keys, codes)
        except (OSError, ValueError, LookupError):
            return cls()

    def nearest(self, layout: FieldLayout, codes: Mapping[str, Tensor]) -> str | None:
        """Key of the training sample with the most equal codes; None if no stream has cached codes.

        Args:
            layout: of the run's Loom.
            codes: stream → int64 (L, Q), those of one sample.
        """
        streams = [name for name in codes if name in self.codes]
        if not streams:
            return None
        equal = np.zeros(len(self.keys))
        for name in streams:
            both = (codes[name][None], torch.from_numpy(self.codes[name]))
            here, there = (layout.split({name: rows}) for rows in both)
            same = sum((here[part] == there[part]).sum((1, 2)) for part in here)
            equal += np.asarray(same) / layout.num_codes(name)
        return self.keys[int(equal.argmax())]
