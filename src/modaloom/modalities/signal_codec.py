"""Codec of continuous signals over one or more axes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.distributed import Rows
from modaloom.core.errors import BadValue
from modaloom.modalities.codec import Codec, DataSpec, Value

MAX_POSITIONS = 256
"""Maximum number of positions in a signal's features: 16 × 16 for an image."""


def unchanged(signal: Tensor, generator: torch.Generator, rows: Rows) -> Tensor:
    """Default of `SignalCodec.augment`: no augmentation."""
    return signal


def as_colours(packed: Tensor) -> Tensor:
    """Default of `SignalCodec.preview`: 8-bit grey or colours, as they are."""
    return packed.expand(-1, 3, *packed.shape[2:])


def no_outline(signal: Tensor) -> Tensor:
    """Default of `SignalCodec.outline`, which `has_outline` tells apart. Raises `BadValue`."""
    raise BadValue("these signals have no outline to encode apart from their tint; leave global_codes at 0")


def mean_squared_error(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """Default of `SignalCodec.loss`: mean squared error of each signal, (B,)."""
    return (reconstruction - signal).square().flatten(1).mean(1)


@dataclass(frozen=True)
class SignalCodec(Codec):
    """Values ↔ packed arrays ↔ float32 signals (B, C, *axes) in [-1, 1]."""

    pack: Callable[[Value, DataSpec], np.ndarray]
    """Value → array for caches, (…, *axes) with the axes of the spec's `size`."""
    unpack: Callable[[np.ndarray, DataSpec], Value]
    """The inverse of pack, up to the spec's loss."""
    to_array: Callable[[Value], np.ndarray]
    """Value → packed array (C, *axes) at its own size."""
    from_array: Callable[[np.ndarray], Value]
    """The inverse of `to_array`."""
    normalize: Callable[[Tensor], Tensor]
    """Packed batch → float32 (B, C, *axes) in [-1, 1], the input of networks; each position by itself, so
    that the signal of a crop is the crop of the signal."""
    denormalize: Callable[[Tensor], Tensor]
    """The inverse of `normalize`, with rounding and clipping."""
    preview: Callable[[Tensor], Tensor] = as_colours
    """Packed batch (B, C, H, W) → uint8 (B, 3, H, W), to be looked at."""
    loss: Callable[[Tensor, Tensor], Tensor] = mean_squared_error
    """(reconstruction, signal) → reconstruction loss (B,), unless a tokenizer is given another."""
    augment: Callable[[Tensor, torch.Generator, Rows], Tensor] = unchanged
    """(signal batch, generator, where its rows are) → augmented batch, for the training of tokenizers."""
    augmentations: Mapping[str, Callable[..., Tensor]] = field(default_factory=dict, hash=False)
    """Name → transform of a signal (C, *axes) with a strength and the keyword `generator`; applied in this
    order."""
    outline: Callable[[Tensor], Tensor] = no_outline
    """Signal batch → (B, 1, *axes), equal for signals that only differ in tint (an image's colours)."""

    continuous: ClassVar[bool] = True
    restorable: ClassVar[bool] = True
    whole: ClassVar[bool] = True

    @property
    def has_outline(self) -> bool:
        """Whether a tokenizer can encode outline and global tint separately."""
        return self.outline is not no_outline

    def variant(
        self, packed: Tensor, random: Callable[[str], torch.Generator], strengths: Mapping[str, float]
    ) -> Tensor:
        """Returns a packed value (…, *axes), changed by the augmentations that have a strength.

        `random`: name of an augmentation → its generator.
        """
        signal = self.normalize(packed[None])[0]
        for name, transform in self.augmentations.items():
            if name in strengths:
                signal = transform(signal, strengths[name], generator=random(name))
        return self.denormalize(signal[None])[0]

    def blank(self, spec: DataSpec) -> Value:
        """Returns the value of the spec's size whose signal is 0 everywhere."""
        packed = self.denormalize(torch.zeros(1, spec["channels"], *spec["size"]))[0].numpy()
        return self.unpack(packed, spec)

    def features(self, values: Sequence[Value], spec: DataSpec) -> Tensor:
        """Returns the signals, average-pooled to at most MAX_POSITIONS positions."""
        packed = np.stack([self.pack(value, spec) for value in values])
        signal = self.normalize(torch.from_numpy(packed))
        side = int(MAX_POSITIONS ** (1 / (signal.ndim - 2)) + 1e-6)
        return F.interpolate(signal, [min(side, n) for n in signal.shape[2:]], mode="area").flatten(1)

    def identity_keys(self, values: Sequence[Value], spec: DataSpec) -> list[bytes]:
        """Returns the bytes of the packed values."""
        return [self.pack(value, spec).tobytes() for value in values]
