"""The tokenizer contract: values in, codes out, and back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from modaloom.core.types import CodeShape, Loss
from modaloom.modalities.base import DataSpec, Limits, Modality, Shortened, Value
from modaloom.tokenizers.usage import CodeUsage

__all__ = ["CodeShape", "Tokenizer"]


class Tokenizer(nn.Module, ABC):
    """Turns the values of one modality and spec into codes. A module: its tensors are saved as one's.

    Values become codes in two steps, so that those of a whole folder can be cached between them: `prepare`
    makes an array of a value, `encode_batch` makes codes of a batch of arrays.
    """

    Config: ClassVar[type]
    """The frozen dataclass of its options; without arguments, the defaults."""
    trainable: bool = False
    """Whether `loss` trains it by gradient; otherwise `fit` made it whole."""
    shape: CodeShape
    spec: DataSpec
    """JSON-able facts that fix what it takes; values of one spec may share it."""

    @classmethod
    @abstractmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Iterable[Value]], limits: Limits, options: Any
    ) -> list[dict[str, Self]]:
        """Tokenizers for the streams of one modality, from training values of each, which may be iterated
        over again and again.

        Returns groups: the streams of a group share what they learn, each through its own `view`.

        Args:
            columns: stream → values, at least one.
            limits: what the preset allows.
            options: a `Config`.
        """

    @abstractmethod
    def prepare(self, value: Value) -> NDArray[Any]:
        """Value → array of one shape and dtype, which training does not change."""

    @abstractmethod
    def encode_batch(self, batch: Tensor) -> Tensor:
        """Prepared values (B, …), B ≥ 0 → int64 codes (B, *grid, Q), on the CPU."""

    def encode(self, values: Sequence[Value]) -> Tensor:
        """Values → int64 codes (B, *grid, Q)."""
        if not values:
            return torch.empty(0, *self.shape.grid, self.shape.depth, dtype=torch.int64)
        return self.encode_batch(torch.from_numpy(np.stack([self.prepare(value) for value in values])))

    @abstractmethod
    def decode(self, codes: Tensor) -> list[Value]:
        """Codes (B, *grid, Q) → values."""

    def as_learned(self, value: Value) -> Value:
        """The value within the limits of what is learned (a picture's size, a text's length), in which scores
        compare it; once more changes nothing. What codes lose is not gone: that is what a ceiling tells."""
        return value

    def shortened(self, value: Value) -> Sequence[Shortened]:
        """What its limits take from the value."""
        return ()

    def loss(self, batch: Tensor, generator: torch.Generator) -> Loss:
        """Prepared values (B, …) → what training minimises; only asked of those that are `trainable`."""
        raise NotImplementedError(f"{type(self).__name__} learns nothing by gradient")

    def code_usage(self, columns: Sequence[tuple[Tensor, Tensor]]) -> Mapping[str, CodeUsage]:
        """What single codes look like and where they stand, by what they tell of ("" for all); empty where
        they cannot be shown.

        `columns`: prepared values (n, …) and their codes int64 (n, L, Q), stream by stream.
        """
        return {}

    def view(self, grid: Sequence[int]) -> Self:
        """This tokenizer for a stream of another grid, sharing what it has learned; most have one grid."""
        assert tuple(grid) == self.shape.grid
        return self

    @property
    def vectors(self) -> Tensor | None:
        """float32 (Q, K, dim): what each code stands for, an input for later models; None if nothing."""
        return None

    @abstractmethod
    def state(self) -> Mapping[str, Any]:
        """JSON-able facts that, with the tensors, rebuild it. Training does not change them."""

    @classmethod
    @abstractmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`; the tensors are loaded afterwards."""
