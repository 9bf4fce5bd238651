"""The tokenizer contract: values in, codes out, and back."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from modaloom.core.types import CodeShape
from modaloom.modalities.base import Limits, Modality, Value

__all__ = ["CodeShape", "Tokenizer"]


class Tokenizer(nn.Module, ABC):
    """Turns the values of one modality and spec into codes. A module: its tensors are saved as one's."""

    Config: ClassVar[type]
    """The dataclass of its options; without arguments, the defaults."""

    shape: CodeShape

    @classmethod
    @abstractmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Sequence[Value]], limits: Limits, options: Any
    ) -> list[dict[str, Self]]:
        """Tokenizers for the streams of one modality, from training values of each.

        Returns groups: the streams of a group share what they learn, each through its own `view`. `options`
        is the configuration of this kind of tokenizer, if it has one.
        """

    @abstractmethod
    def encode(self, values: Sequence[Value]) -> Tensor:
        """Values → int64 codes (B, *grid, Q)."""

    @abstractmethod
    def decode(self, codes: Tensor) -> list[Value]:
        """Codes (B, *grid, Q) → values."""

    def view(self, grid: Sequence[int]) -> Self:
        """This tokenizer for a stream of another grid, sharing what it has learned; most have one grid."""
        assert tuple(grid) == self.shape.grid
        return self

    @property
    @abstractmethod
    def trainable(self) -> bool:
        """Whether `loss` trains it by gradient; otherwise `fit` made it whole."""

    @property
    def vectors(self) -> Tensor | None:
        """float32 (Q, K, dim): what each code stands for, an input for later models; None if nothing."""
        return None

    @abstractmethod
    def state(self) -> Mapping[str, Any]:
        """JSON-able facts that, with the tensors, rebuild it."""

    @classmethod
    @abstractmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`; the tensors are loaded afterwards."""
