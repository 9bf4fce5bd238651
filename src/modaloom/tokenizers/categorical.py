"""No tokenizer at all: modalities whose packed values are already codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from modaloom.core.types import CodeShape
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import DataSpec, Limits, Modality, Value
from modaloom.tokenizers.base import Tokenizer


@dataclass(frozen=True)
class CategoricalConfig:
    """There is nothing to choose."""


class CategoricalTokenizer(Tokenizer):
    """Packed values, one code per position."""

    Config = CategoricalConfig

    def __init__(self, modality: Modality, spec: DataSpec) -> None:
        super().__init__()
        assert modality.vocab_size is not None, f"{modality.name} is not discrete"
        self.modality, self.spec = modality, spec
        self.shape = CodeShape(grid=tuple(spec["size"]), depth=1, codebook_size=modality.vocab_size(spec))

    @classmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Sequence[Value]], limits: Limits, options: Any
    ) -> list[dict[str, Self]]:
        """One for every stream: their columns differ."""
        return [{name: cls(modality, modality.infer_spec(v, limits))} for name, v in columns.items()]

    def encode(self, values: Sequence[Value]) -> Tensor:
        """Values → int64 (B, *grid, 1)."""
        assert self.modality.pack is not None
        packed = [self.modality.pack(value, self.spec) for value in values]
        return torch.from_numpy(np.array(packed, np.int64)).reshape(len(values), *self.shape.grid, 1)

    def decode(self, codes: Tensor) -> list[Value]:
        """Codes (B, *grid, 1) → values."""
        assert self.modality.unpack is not None
        return [self.modality.unpack(packed, self.spec) for packed in codes[..., 0].cpu().numpy()]

    @property
    def trainable(self) -> bool:
        """False: there is nothing to learn."""
        return False

    def state(self) -> Mapping[str, Any]:
        """The modality's name and the spec."""
        return {"modality": self.modality.name, "spec": self.spec}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(MODALITIES[state["modality"]], dict(state["spec"]))
