"""Values of their own size as signals in [0, 1], and back: what restoration works on."""

import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.modalities.base import Form, Modality, Value


def fitted(modality: Modality, value: Value, form: Form) -> Value:
    """A value of any size as one of the form's."""
    assert modality.pack is not None
    assert modality.unpack is not None
    return modality.unpack(modality.pack(value, form), form)


def to_unit(modality: Modality, value: Value) -> Tensor:
    """float32 (C, *axes) in [0, 1]."""
    assert modality.whole is not None
    return unit(modality, modality.whole(value))


def unit(modality: Modality, packed: NDArray) -> Tensor:  # type: ignore[type-arg]
    """The same of a packed array (C, *axes)."""
    assert modality.signal is not None
    signal = modality.signal(torch.tensor(packed)[None])[0]
    return signal.add_(1).div_(2)


def from_unit(modality: Modality, signal: Tensor) -> Value:
    """The inverse of `to_unit`, rounding and clipping."""
    assert modality.packed is not None
    assert modality.made is not None
    return modality.made(modality.packed(2 * signal[None] - 1)[0].numpy())
