"""Conversion between values at their own size and signals in [0, 1], for restoration.

`facts` are those of the values' stream, as `SignalCodec.measure` found them; values outside of the range that
was measured are signals outside of [0, 1].
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import max_pool1d, pad

from modaloom.modalities.base import DataSpec, Modality, Value
from modaloom.modalities.scale import EIGHT_BITS, Scale

MARKED = 0.5
"""Part of a mask's range above which a position is marked."""
WAVE, DIP = 129, 9
"""Samples within which a mask's waves are one mark, and within which a wave crosses 0."""
SILENT = 0.01
"""Part of a mask's peak below which longer parts are silence, however short, and mark nothing."""


def fit_to_spec(modality: Modality, value: Value, spec: DataSpec) -> Value:
    """Returns the value, resized to the spec's size."""
    return modality.signal.fitted(value, spec)


def scale_of(modality: Modality, facts: DataSpec) -> Scale:
    """The scale of a stream's signals."""
    scale = modality.signal.scale
    return EIGHT_BITS if scale is None else scale(facts)


def to_packed(modality: Modality, facts: DataSpec, value: Value) -> NDArray[Any]:
    """Value → array (C, *axes) with the channels of its stream. Raises `BadValue` for another kind."""
    codec = modality.signal
    return codec.to_array(codec.matched(value, facts))


def array_to_unit(modality: Modality, facts: DataSpec, packed: NDArray[Any]) -> Tensor:
    """Packed array (C, *axes) → float32 (C, *axes)."""
    if not modality.signal.is_8_bit:
        return scale_of(modality, facts).to_unit(packed)
    signal = modality.signal.normalize(torch.tensor(packed)[None])[0]
    return signal.add_(1).div_(2)


def to_unit(modality: Modality, facts: DataSpec, value: Value) -> Tensor:
    """Value → float32 (C, *axes). Raises `BadValue` for a value of another kind than the stream's."""
    return array_to_unit(modality, facts, to_packed(modality, facts, value))


def from_unit(modality: Modality, facts: DataSpec, signal: Tensor) -> Value:
    """The inverse of `to_unit`, rounded and clipped to what the type of the values has."""
    return modality.signal.from_array(unit_to_array(modality, facts, signal), facts)


def unit_to_array(modality: Modality, facts: DataSpec, signal: Tensor) -> NDArray[Any]:
    """The inverse of `array_to_unit`, rounded and clipped as by `from_unit`."""
    if not modality.signal.is_8_bit:
        return scale_of(modality, facts).from_unit(signal)
    packed: NDArray[Any] = modality.signal.denormalize(2 * signal[None] - 1)[0].numpy()
    return packed


def to_mask(modality: Modality, facts: DataSpec, mask: Value) -> Tensor:
    """Value → bool (*axes): where its channels' mean is above half of white, or of its own maximum; a sound,
    at the stream's rate: where the loudest of its channels is above half of its peak, with what lies between
    two waves."""
    codec = modality.signal
    if codec.is_waveform:
        mask = codec.join([codec.matched(channel, facts) for channel in codec.parts(mask)])
    return array_to_mask(modality, codec.to_array(mask))


def array_to_mask(modality: Modality, packed: NDArray[Any]) -> Tensor:
    """`to_mask` of a packed array (C, *axes)."""
    if modality.signal.is_waveform:
        loudness = torch.from_numpy(np.abs(packed.astype(np.float32)).max(0))
        peak = loudness.max()
        return (_closed(loudness, WAVE) > MARKED * peak) & (_closed(loudness, DIP) > SILENT * peak)
    if not modality.signal.is_8_bit:
        return torch.from_numpy(packed.mean(0) > MARKED * packed.max())
    return array_to_unit(modality, {}, packed).mean(0) > MARKED


def _closed(loudness: Tensor, width: int) -> Tensor:
    """(n,) → (n,): dips of fewer samples than `width` are as high as what is around them; outside is 0."""
    wide = max_pool1d(pad(loudness, (width, width))[None], width, 1, width // 2)
    return -max_pool1d(-wide, width, 1, width // 2)[0, width:-width]
