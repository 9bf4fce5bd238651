"""Conversion between values at their own size and signals in [0, 1], for restoration."""

import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.modalities.base import DataSpec, Modality, Value


def fit_to_spec(modality: Modality, value: Value, spec: DataSpec) -> Value:
    """Returns the value, resized to the spec's size."""
    return modality.signal.fitted(value, spec)


def to_unit(modality: Modality, value: Value) -> Tensor:
    """Value → float32 (C, *axes) in [0, 1]."""
    return array_to_unit(modality, modality.signal.to_array(value))


def array_to_unit(modality: Modality, packed: NDArray) -> Tensor:  # type: ignore[type-arg]
    """Packed array (C, *axes) → float32 (C, *axes) in [0, 1]."""
    signal = modality.signal.normalize(torch.tensor(packed)[None])[0]
    return signal.add_(1).div_(2)


def from_unit(modality: Modality, signal: Tensor) -> Value:
    """The inverse of `to_unit`, with rounding and clipping."""
    codec = modality.signal
    return codec.from_array(codec.denormalize(2 * signal[None] - 1)[0].numpy())
