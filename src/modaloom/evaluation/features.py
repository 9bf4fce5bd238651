"""Values as points: what nearest neighbours and linear readouts see. Nothing here is learned by gradient."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from torch import Tensor

from modaloom.modalities import DataSpec, Limits, Modality, Value


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
        raw = modality.codec.features(values, spec)
        mean = raw.mean(0)
        scale = (raw - mean).square().sum(1).mean().sqrt().clamp_min(1e-6)
        return cls(modality, spec, mean, scale, (raw - mean) / scale)

    def embed(self, values: Sequence[Value]) -> Tensor:
        """Values → float32 (n, D)."""
        return (self.modality.codec.features(values, self.spec) - self.mean) / self.scale

    def names(self, values: Sequence[Value]) -> list[bytes]:
        """Equal for equal values, as finely as their codec tells them apart."""
        return self.modality.codec.identity_keys(values, self.spec)

    @cached_property
    def typical(self) -> int:
        """The commonest training value; of equally common ones, that nearest to the mean."""
        names = [point.tobytes() for point in self.points.numpy()]
        counts, length = Counter(names), self.points.square().sum(1).tolist()
        return max(range(len(names)), key=lambda i: (counts[names[i]], -length[i]))
