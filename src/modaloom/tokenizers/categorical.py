"""Tokenizer of modalities whose packed values are already codes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.types import CodeShape
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import DataSpec, Limits, Modality, Shortened, Value
from modaloom.tokenizers.base import Tokenizer
from modaloom.tokenizers.parts import Part


@dataclass(frozen=True)
class CategoricalConfig:
    """Options of the categorical tokenizer: none."""


class CategoricalTokenizer(Tokenizer):
    """Uses packed values as codes, one per position."""

    Config = CategoricalConfig

    def __init__(self, modality: Modality, spec: DataSpec) -> None:
        super().__init__()
        self.modality, self.codec, self.spec = modality, modality.categorical, spec
        self.shape = CodeShape(tuple(spec["size"]), depth=1, codebook_size=self.codec.vocab_size(spec))

    @classmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Iterable[Value]], limits: Limits, options: Any
    ) -> list[dict[str, Self]]:
        """Create one tokenizer per stream, since their specs differ.

        Args:
            modality: modality of all streams.
            columns: stream → values.
            limits: upper limits on the size of values.
            options: unused.
        """
        return [{name: cls(modality, modality.infer_spec(v, limits))} for name, v in columns.items()]

    def prepare(self, value: Value) -> NDArray[np.int64]:
        """Value → int64 grid."""
        return self.codec.pack(value, self.spec)

    def shortened(self, value: Value) -> Sequence[Shortened]:
        return self.modality.shortened(value, self.spec)

    def encode_batch(self, batch: Tensor) -> Tensor:
        """Integers (B, *grid) → int64 (B, *grid, 1)."""
        return batch.long()[..., None]

    @property
    def columns(self) -> Mapping[str, Sequence[Value]]:
        return self.codec.columns(self.spec)

    @property
    def code_names(self) -> Mapping[str, Sequence[str]]:
        return {name: ["none", *map(str, values)] for name, values in self.columns.items()}

    def parts(self, codes: Tensor) -> list[Part]:
        """The places of the grid, with the names that the codec has for them."""
        names = self.columns
        places = torch.eye(len(codes), dtype=torch.bool)
        return [Part(name, place) for name, place in zip(names, places)] or super().parts(codes)

    def decode(self, codes: Tensor) -> list[Value]:
        """Codes (B, *grid, 1) → values."""
        return [self.codec.unpack(packed, self.spec) for packed in codes[..., 0].cpu().numpy()]

    def state(self) -> Mapping[str, Any]:
        """Modality name and spec."""
        return {"modality": self.modality.name, "spec": self.spec}

    @classmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`."""
        return cls(MODALITIES[state["modality"]], dict(state["spec"]))
