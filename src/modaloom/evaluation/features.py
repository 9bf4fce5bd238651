"""Values as points: what nearest neighbours and linear readouts see. Nothing here is learned by gradient."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from modaloom.modalities import DataSpec, Modality, Value

CHUNK_SIZE = 256
"""Values whose signals are in memory at once."""


def features(modality: Modality, spec: DataSpec, values: Sequence[Value]) -> Tensor:
    """float32 (n, D): the codec's features, chunk by chunk."""
    chunks = (values[i : i + CHUNK_SIZE] for i in range(0, len(values), CHUNK_SIZE))
    return torch.cat([modality.codec.features(chunk, spec) for chunk in chunks])


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
    def fit(cls, modality: Modality, values: Sequence[Value], spec: DataSpec) -> Self:
        """Measured on training values in the form of a spec."""
        raw = features(modality, spec, values)
        mean = raw.mean(0)
        scale = (raw - mean).square().sum(1).mean().sqrt().clamp_min(1e-6)
        return cls(modality, spec, mean, scale, (raw - mean) / scale)

    def embed(self, values: Sequence[Value]) -> Tensor:
        """Values → float32 (n, D)."""
        return (features(self.modality, self.spec, values) - self.mean) / self.scale

    def names(self, values: Sequence[Value]) -> list[bytes]:
        """Equal for equal values, as finely as their codec tells them apart."""
        return self.modality.codec.identity_keys(values, self.spec)

    @cached_property
    def typical(self) -> int:
        """The commonest training value; of equally common ones, that nearest to the mean."""
        names = [point.tobytes() for point in self.points.numpy()]
        counts, length = Counter(names), self.points.square().sum(1).tolist()
        return max(range(len(names)), key=lambda i: (counts[names[i]], -length[i]))
