"""No tokenizer at all: modalities whose packed values are already codes."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from modaloom.core.types import CodeShape
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Form, Limits, Modality, Value
from modaloom.tokenizers.base import Tokenizer


class Direct(Tokenizer):
    """Packed values, one code per position."""

    def __init__(self, modality: Modality, form: Form) -> None:
        super().__init__()
        assert modality.sizes is not None, f"{modality.name} is not discrete"
        self.modality, self.form = modality, form
        self.shape = CodeShape(grid=tuple(form["size"]), depth=1, size=modality.sizes(form))

    @classmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Sequence[Value]], limits: Limits, options: Any
    ) -> list[dict[str, Self]]:
        """One for every stream: their columns differ."""
        return [{name: cls(modality, modality.measure(v, limits))} for name, v in columns.items()]

    def encode(self, values: Sequence[Value]) -> Tensor:
        """Values → int64 (B, *grid, 1)."""
        assert self.modality.pack is not None
        packed = [self.modality.pack(value, self.form) for value in values]
        return torch.from_numpy(np.array(packed, np.int64)).reshape(len(values), *self.shape.grid, 1)

    def decode(self, codes: Tensor) -> list[Value]:
        """Codes (B, *grid, 1) → values."""
        assert self.modality.unpack is not None
        return [self.modality.unpack(packed, self.form) for packed in codes[..., 0].cpu().numpy()]

    @property
    def learned(self) -> bool:
        """False: there is nothing to learn."""
        return False

    def state(self) -> Mapping[str, Any]:
        """The modality's name and the form."""
        return {"modality": self.modality.name, "form": self.form}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(MODALITIES[state["modality"]], dict(state["form"]))
