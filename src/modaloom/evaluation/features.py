"""Values as points: what nearest neighbours and linear readouts see. Nothing here is learned by gradient."""

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.modalities import DataSpec, Limits, Modality, Value

MAX_POSITIONS = 256
"""Most positions of a signal that count: 16 × 16 of an image."""
NUM_BUCKETS = 1024
"""Columns of a text's counts."""


def features(modality: Modality, spec: DataSpec, values: Sequence[Value]) -> Tensor:
    """float32 (n, D): a signal's values, positions of a discrete modality as one-hot, or a text's counts."""
    if modality.pack is None:
        return torch.stack([_counts(str(value)) for value in values])
    packed = torch.from_numpy(np.stack([modality.pack(value, spec) for value in values]))
    if modality.normalize is not None:
        return _pooled(modality.normalize(packed)).flatten(1)
    assert modality.vocab_size is not None
    return F.one_hot(packed.long(), modality.vocab_size(spec)).flatten(1).float()


def _pooled(signal: Tensor) -> Tensor:
    side = int(MAX_POSITIONS ** (1 / (signal.ndim - 2)) + 1e-6)
    return F.interpolate(signal, [min(side, n) for n in signal.shape[2:]], mode="area")


def _counts(text: str) -> Tensor:
    """float32 (BUCKETS,): words and characters by threes, counted by hash, of length 1."""
    padded = f" {text} "
    parts = re.findall(r"\w+|[^\w\s]", text) + [padded[i : i + 3] for i in range(len(padded) - 2)]
    buckets = [zlib.crc32(part.encode("utf-8", "replace")) % NUM_BUCKETS for part in parts]
    counts = np.bincount(buckets, minlength=NUM_BUCKETS)
    return F.normalize(torch.from_numpy(counts).float(), dim=0)


@dataclass(frozen=True)
class Space:
    """One stream's points, centred and of mean square length 1, so that streams weigh the same."""

    modality: Modality
    spec: DataSpec
    mean: Tensor
    scale: Tensor
    points: Tensor
    """float32 (N, D): of the training values."""

    @classmethod
    def fit(cls, modality: Modality, values: Sequence[Value]) -> Self:
        """Measured on training values."""
        spec = modality.infer_spec(values, Limits())
        raw = features(modality, spec, values)
        mean = raw.mean(0)
        scale = (raw - mean).square().sum(1).mean().sqrt().clamp_min(1e-6)
        return cls(modality, spec, mean, scale, (raw - mean) / scale)

    def embed(self, values: Sequence[Value]) -> Tensor:
        """Values → float32 (n, D)."""
        return (features(self.modality, self.spec, values) - self.mean) / self.scale

    def names(self, values: Sequence[Value]) -> list[bytes]:
        """Equal for equal values: texts to the letter, others as finely as their spec tells them apart."""
        if self.modality.pack is None:
            return [str(value).encode("utf-8", "surrogatepass") for value in values]
        return [self.modality.pack(value, self.spec).tobytes() for value in values]

    @cached_property
    def typical(self) -> int:
        """The commonest training value; of equally common ones, that nearest to the mean."""
        names = [point.tobytes() for point in self.points.numpy()]
        counts, length = Counter(names), self.points.square().sum(1).tolist()
        return max(range(len(names)), key=lambda i: (counts[names[i]], -length[i]))
