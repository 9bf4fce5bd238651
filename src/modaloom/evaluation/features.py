"""Fixed (untrained) features of values, for nearest neighbours and linear probes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from modaloom.modalities import DataSpec, Modality, Value

CHUNK_SIZE = 256
"""Number of values whose signals are in memory at a time."""


def features(modality: Modality, spec: DataSpec, values: Sequence[Value]) -> Tensor:
    """Returns the codec's features, float32 (n, D), computed in chunks."""
    chunks = (values[i : i + CHUNK_SIZE] for i in range(0, len(values), CHUNK_SIZE))
    return torch.cat([modality.codec.features(chunk, spec) for chunk in chunks])


@dataclass(frozen=True)
class Space:
    """Feature space of one stream, centred and scaled to mean squared norm 1: streams have equal weight."""

    modality: Modality
    spec: DataSpec
    mean: Tensor
    scale: Tensor
    points: Tensor
    """float32 (N, D): features of the training values."""

    @classmethod
    def fit(cls, modality: Modality, values: Sequence[Value], spec: DataSpec) -> Self:
        """Fits mean and scale to training values, packed by a spec."""
        points = features(modality, spec, values)
        mean = points.mean(0)
        points.sub_(mean)
        scale = points.square().sum(1).mean().sqrt().clamp_min(1e-6)
        return cls(modality, spec, mean, scale, points.div_(scale))

    def embed(self, values: Sequence[Value]) -> Tensor:
        """Values → normalized features, float32 (n, D)."""
        return (features(self.modality, self.spec, values) - self.mean) / self.scale

    def names(self, values: Sequence[Value]) -> list[bytes]:
        """Returns the codec's identity keys, which are equal for equal values."""
        return self.modality.codec.identity_keys(values, self.spec)

    @cached_property
    def typical(self) -> int:
        """Index of the most common training value; of equally common ones, the nearest to the mean."""
        names = [point.tobytes() for point in self.points.numpy()]
        counts, length = Counter(names), self.points.square().sum(1).tolist()
        return max(range(len(names)), key=lambda i: (counts[names[i]], -length[i]))
