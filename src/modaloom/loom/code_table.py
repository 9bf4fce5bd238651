"""The cached codes of all streams of a run, by row and variant."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from modaloom.data.cache import CachedArray
from modaloom.loom.layout import FieldLayout

CHUNK_SIZE = 256
"""Rows that are in memory at a time."""


@dataclass(frozen=True)
class CodeTable:
    """Codes of n rows: the samples of a folder, then replayed ones."""

    streams: Mapping[str, CachedArray]
    """Stream → (n, L, Q), or (K·n, L, Q) if it is augmented: row v·n + i is variant v of row i."""
    num_rows: int
    """n."""
    num_variants: int
    """K, at least 1."""

    def read(self, rows: Tensor, variants: Tensor | int = 0) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Some rows of all streams.

        Args:
            rows: int64 (n,).
            variants: int64 (n,), or one for all; others than 0 are of training samples only.

        Returns:
            Stream → int64 codes (n, L, Q), and stream → bool (n,) presence.
        """
        index = (rows + self.num_rows * variants).numpy()
        codes, present = {}, {}
        for name, cached in self.streams.items():
            own = index % len(cached.present)  # a stream that is not augmented has one row for all variants
            codes[name] = torch.from_numpy(cached.array[own].astype(np.int64))
            present[name] = torch.from_numpy(cached.present[own])
        return codes, present

    def num_tokens(self, layout: FieldLayout, rows: Tensor) -> int | list[int]:
        """Tokens of every sample, or, if lengths vary, of each of these rows, in their longest variant."""
        shapes = layout.shapes.values()
        if not any(shape.variable for shape in shapes):
            return sum(shape.num_positions for shape in shapes)
        parts = (
            torch.stack([layout.num_tokens(*self.read(part, v)) for v in range(self.num_variants)])
            for part in torch.split(rows, CHUNK_SIZE)
        )
        return [int(count) for part in parts for count in part.amax(0)]
