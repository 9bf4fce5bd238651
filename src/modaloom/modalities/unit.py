"""Values of their own size as signals in [0, 1], and back: what restoration works on."""

import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.modalities.base import DataSpec, Modality, Value


def fit_to_spec(modality: Modality, value: Value, spec: DataSpec) -> Value:
    """A value of any size as one of the spec's."""
    return modality.signal.unpack(modality.signal.pack(value, spec), spec)


def to_unit(modality: Modality, value: Value) -> Tensor:
    """float32 (C, *axes) in [0, 1]."""
    return array_to_unit(modality, modality.signal.to_array(value))


def array_to_unit(modality: Modality, packed: NDArray) -> Tensor:  # type: ignore[type-arg]
    """The same of a packed array (C, *axes)."""
    signal = modality.signal.normalize(torch.tensor(packed)[None])[0]
    return signal.add_(1).div_(2)


def from_unit(modality: Modality, signal: Tensor) -> Value:
    """The inverse of `to_unit`, rounding and clipping."""
    codec = modality.signal
    return codec.from_array(codec.denormalize(2 * signal[None] - 1)[0].numpy())
