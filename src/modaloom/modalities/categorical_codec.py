"""Codec of categorical values: one category at each position."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from modaloom.modalities.codec import Codec, DataSpec, Value


@dataclass(frozen=True)
class CategoricalCodec(Codec):
    """Values ↔ packed arrays of categories, of the spec's `size`."""

    pack: Callable[[Value, DataSpec], NDArray[np.int64]]
    """Value → int64 of the spec's `size`, each in 0 .. `vocab_size` − 1."""
    unpack: Callable[[NDArray[np.int64], DataSpec], Value]
    """The inverse of pack, up to the spec's loss."""
    vocab_size: Callable[[DataSpec], int]
    """Spec → number of categories per position."""
    columns: Callable[[DataSpec], Mapping[str, Sequence[Value]]] = lambda spec: {}
    """Spec → name of each position → what its categories 1, 2, … say; empty: they have no names."""

    continuous: ClassVar[bool] = False
    whole: ClassVar[bool] = False

    def features(self, values: Sequence[Value], spec: DataSpec) -> Tensor:
        """Returns the one-hot categories of all positions."""
        packed = torch.from_numpy(np.stack([self.pack(value, spec) for value in values]))
        return F.one_hot(packed.long(), self.vocab_size(spec)).flatten(1).float()

    def identity_keys(self, values: Sequence[Value], spec: DataSpec) -> list[bytes]:
        """Returns the bytes of the packed values."""
        return [self.pack(value, spec).tobytes() for value in values]
