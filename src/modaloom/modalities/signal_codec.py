"""Values that are signals: numbers over axes, with a distance and a gradient."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.modalities.codec import Codec, DataSpec, Value

MAX_POSITIONS = 256
"""Most positions of a signal that count as features: 16 × 16 of an image."""


def unchanged(signal: Tensor, generator: torch.Generator) -> Tensor:
    """The augmentation of signals that have none."""
    return signal


def no_outline(signal: Tensor) -> Tensor:
    """Stands where signals have no tint to leave out."""
    raise NotImplementedError("these signals have no outline")


@dataclass(frozen=True)
class SignalCodec(Codec):
    """Values ↔ packed arrays ↔ float32 signals (B, C, *axes) in [-1, 1]."""

    pack: Callable[[Value, DataSpec], np.ndarray]
    """Value → array of the spec's fixed shape and dtype, for caches."""
    unpack: Callable[[np.ndarray, DataSpec], Value]
    """The inverse of pack, up to the spec's loss."""
    to_array: Callable[[Value], np.ndarray]
    """Value → packed array (C, *axes) at its own size, whatever the spec."""
    from_array: Callable[[np.ndarray], Value]
    """The inverse of `to_array`."""
    normalize: Callable[[Tensor], Tensor]
    """Packed batch → float32 (B, C, *axes) in [-1, 1]: what networks see."""
    denormalize: Callable[[Tensor], Tensor]
    """The inverse of `normalize`, rounding and clipping."""
    loss: Callable[[Tensor, Tensor], Tensor]
    """(reconstruction, signal) → (B,) reconstruction loss."""
    augment: Callable[[Tensor, torch.Generator], Tensor] = unchanged
    """Signal → one that might as well occur: what a tokenizer should be able to rebuild, too."""
    outline: Callable[[Tensor], Tensor] = no_outline
    """Signal → (B, 1, *axes), the same for all that differ in their tint alone (a picture's colours)."""

    continuous: ClassVar[bool] = True
    restorable: ClassVar[bool] = True
    whole: ClassVar[bool] = True

    @property
    def has_outline(self) -> bool:
        """Whether a tokenizer may code outline and tint apart."""
        return self.outline is not no_outline

    def blank(self, spec: DataSpec) -> Value:
        """The value of the spec's size whose signal is 0 everywhere."""
        packed = self.denormalize(torch.zeros(1, spec["channels"], *spec["size"]))[0].numpy()
        return self.unpack(packed, spec)

    def features(self, values: Sequence[Value], spec: DataSpec) -> Tensor:
        """The signal's values, pooled to at most MAX_POSITIONS positions."""
        packed = np.stack([self.pack(value, spec) for value in values])
        signal = self.normalize(torch.from_numpy(packed))
        side = int(MAX_POSITIONS ** (1 / (signal.ndim - 2)) + 1e-6)
        return F.interpolate(signal, [min(side, n) for n in signal.shape[2:]], mode="area").flatten(1)

    def identity_keys(self, values: Sequence[Value], spec: DataSpec) -> list[bytes]:
        """The bytes of the packed values."""
        return [self.pack(value, spec).tobytes() for value in values]
