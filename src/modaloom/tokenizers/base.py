"""Interface of tokenizers, which encode values to codes and decode codes to values."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import BadValue
from modaloom.core.graph import Graph
from modaloom.core.types import CodeShape, Loss
from modaloom.modalities.base import DataSpec, Limits, Modality, Shortened, Value
from modaloom.tokenizers.file_codec import FileCodec
from modaloom.tokenizers.lengths import split_lengths
from modaloom.tokenizers.parts import Part, stretches
from modaloom.tokenizers.spans import Span
from modaloom.tokenizers.usage import CodeUsage

__all__ = ["CodeShape", "Objective", "Opponent", "Tokenizer"]


@dataclass(frozen=True)
class Opponent:
    """A module that is trained beside a tokenizer, after it in each step, and then dropped."""

    module: nn.Module
    loss: Callable[..., Loss]
    """As `Tokenizer.loss`."""
    learning_rate: float
    """Peak learning rate, in (0, 10]."""
    start: float = 0.0
    """Fraction of the steps after which it begins, in [0, 1]."""


@dataclass(frozen=True)
class Objective:
    """What a tokenizer is trained on."""

    loss: Callable[..., Loss]
    """As `Tokenizer.loss`."""
    opponents: Mapping[str, Opponent] = field(default_factory=dict)


class Tokenizer(nn.Module, ABC):
    """Encodes values of one modality and spec to codes, and decodes them. Its weights are its state_dict.

    Encoding has two steps, so that the values of a folder can be cached in between: `prepare` converts a
    value to an array, `encode_batch` converts a batch of arrays to codes.
    """

    Config: ClassVar[type]
    """Frozen dataclass of its options; constructed without arguments, it has the defaults."""
    trainable: bool = False
    """Whether it is trained by gradient descent on `loss`; otherwise it is complete after `fit`."""
    shape: CodeShape
    spec: DataSpec
    """JSON-serializable description of its input; streams with equal specs may share a tokenizer."""

    @classmethod
    @abstractmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Iterable[Value]], limits: Limits, options: Any
    ) -> list[dict[str, Self]]:
        """Create tokenizers for the streams of one modality from their training values.

        Args:
            modality: modality of all streams.
            columns: stream → values, at least one; iterated over several times.
            limits: upper limits on the size of values.
            options: a `Config`.

        Returns:
            Groups of stream → tokenizer; the streams of a group share weights, each through its own `view`.
        """

    @abstractmethod
    def prepare(self, value: Value) -> NDArray[Any]:
        """Value → array of fixed shape and dtype, independent of the weights; where a trainable tokenizer's
        `shape` is variable, the axis of the length has the value's own."""

    @abstractmethod
    def encode_batch(self, batch: Tensor) -> Tensor:
        """Prepared values (B, …) of one shape, B ≥ 0 → int64 codes (B, *grid, Q), on the CPU."""

    def encode_prepared(self, rows: Sequence[NDArray[Any]]) -> Tensor:
        """At least one prepared value, of whatever lengths there are → int64 codes (B, *grid, Q)."""
        return self.encode_batch(torch.from_numpy(np.stack(rows)))

    def encode(self, values: Sequence[Value]) -> Tensor:
        """Values → int64 codes (B, *grid, Q)."""
        if not values:
            return torch.empty(0, *self.shape.grid, self.shape.depth, dtype=torch.int64)
        return self.encode_prepared([self.prepare(value) for value in values])

    @abstractmethod
    def decode(self, codes: Tensor) -> list[Value]:
        """Codes (B, *grid, Q) → values."""

    def rows(self, codes: Tensor) -> list[Tensor]:
        """Codes (B, *grid, Q) → those of each value along its first axis, (n, *rest, Q), up to its end."""
        return split_lengths(codes, self.shape) if self.shape.variable else [*codes]

    def trimmed(self, rebuilt: Value, value: Value) -> Value:
        """What was decoded from a value's codes, at the value's length, where codes are of more than it."""
        return rebuilt

    @property
    def files(self) -> FileCodec | None:
        """Encodes and decodes files of any length; None: values within the limits, as a whole, alone."""
        return None

    def as_learned(self, value: Value) -> Value:
        """The value reduced to the tokenizer's limits (an image's size, a text's length); idempotent.

        Scores compare values in this form. The loss from quantization is not included; the ceiling of the
        scores measures it.
        """
        return value

    def shortened(self, value: Value) -> Sequence[Shortened]:
        """Descriptions of what the tokenizer's limits remove from the value; empty if nothing."""
        return ()

    def unknown(self, value: Value, options: Any) -> Sequence[str]:
        """What of a value was in no training value, where a tokenizer that was fitted with these options can
        tell; by default nothing."""
        return ()

    def crop(self, prepared: NDArray[Any], seed: int) -> NDArray[Any]:
        """The part of a prepared value that `loss` gets: all of it, unless it is trained on crops.

        A pure function; a crop of a memory-mapped array reads that crop alone.
        """
        return prepared

    def variant(
        self, prepared: Tensor, random: Callable[[str], torch.Generator], strengths: Mapping[str, float]
    ) -> Tensor:
        """A random variant of a prepared value (or a crop), of the same shape and type, for training.

        Args:
            prepared: the value.
            random: name of an augmentation → its generator.
            strengths: augmentation → strength, in (0, 1]; the codec's `augmentations` among them are applied.

        Raises:
            BadValue: for a kind of tokenizer that has no variants.
        """
        raise BadValue(f"{type(self).__name__} makes no variants of values; leave out training.augment")

    def loss(
        self, batch: Tensor, generator: torch.Generator, distributed: Distributed = SINGLE_PROCESS
    ) -> Loss:
        """Training loss of trainable tokenizers.

        Args:
            batch: prepared values, or crops of them, (B, …) of this rank.
            generator: CPU generator, of one seed on all ranks.
            distributed: whose values count, with those of this rank.

        Raises:
            TypeError: for a tokenizer that is not trainable.
        """
        raise TypeError(f"{type(self).__name__} is complete after fit: it has no loss to train on")

    def validation_error(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Error on held-out prepared values or crops (B, …), a scalar; its training may end early by it.

        As a fraction of the values' variance where there is one: 0 is lossless, 1 the error of their mean.
        """
        return self.loss(batch, generator).total

    def begin(self, batch: Tensor) -> None:
        """Start from prepared training values or crops (B, …) instead of random weights, if it can."""

    def objective(self) -> Objective:
        """What its training minimizes: `loss`, unless more is trained beside it; new modules are random."""
        return Objective(self.loss)

    def code_usage(self, columns: Sequence[tuple[Tensor, Tensor]]) -> Mapping[str, CodeUsage]:
        """Mean patch and usage map of each code, by part of the value that the codes describe ("" for all).

        Args:
            columns: per stream, prepared values (n, …) and their codes int64 (n, L, Q).

        Returns:
            Part → usage; empty if the codes have no visual representation.
        """
        return {}

    def view(self, grid: Sequence[int]) -> Self:
        """This tokenizer for a stream of another code grid, sharing weights; most kinds support one grid."""
        assert tuple(grid) == self.shape.grid
        return self

    @property
    def extent(self) -> tuple[float, float]:
        """How long the longest value is along the first axis, and a code: in seconds of sound, frames, rows
        of pixels, tokens of text.

        Raises:
            BadValue: for a kind of tokenizer whose codes are of no part of a value.
        """
        raise BadValue(f"values of {type(self).__name__} have no parts; name sounds, pictures or texts")

    def positions_in(self, spans: Sequence[Span], value: Value | None = None) -> Tensor:
        """bool (L,): the positions whose part of a value lies within one of the spans.

        A span is its start and end along the first axis, in its unit: seconds of sound, frames, rows of
        pixels of the tokenizer's size, characters of text.

        Args:
            spans: start and end of each.
            value: of which they are parts; its last code may reach past its end. None: one of the full size.

        Raises:
            BadValue: for a kind of tokenizer whose codes are of no part of a value, or spans that are none or
                shorter than a code.
        """
        raise BadValue(f"{type(self).__name__} keeps no part of a value; keep sounds, pictures or texts")

    def parts(self, codes: Tensor) -> list[Part]:
        """The parts of a value with codes int64 (L, Q) that can be hidden by themselves, before its end.

        By default stretches of its first axis, named by positions. Shared codes belong to none.
        """
        return stretches(codes, self.shape)

    @property
    def columns(self) -> Mapping[str, Sequence[Value]]:
        """Name of each position → the values that its codes 1, 2, … stand for, 0 being none; by default none
        has a name."""
        return {}

    @property
    def code_names(self) -> Mapping[str, Sequence[str]]:
        """Name of each position, or "" for all → what its codes 0, 1, … say, where that is text; by default
        nothing."""
        return {}

    @property
    def graphs(self) -> Mapping[str, Graph]:
        """The networks `encode` and `decode`, of packed values and codes; of variable length these are whole
        strides. Empty: there are none, and `state` says all."""
        return {}

    @property
    def vectors(self) -> Tensor | None:
        """Codebook vectors, float32 (Q, K, dim), which initialize code embeddings; None if there are none."""
        return None

    def load_pretrained(self, directory: Path) -> None:
        """Take the weights of a pretrained part, for kinds of such (`tokenizers/pretrained.py`).

        Raises `BadFile` for a file that does not fit.
        """

    @property
    def pretrained_names(self) -> Sequence[str]:
        """Names of the tensors that `load_pretrained` loads."""
        return ()

    @abstractmethod
    def state(self) -> Mapping[str, Any]:
        """JSON-serializable state that rebuilds the tokenizer, without tensors; constant during training."""

    @classmethod
    @abstractmethod
    def restore(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of `state`; tensors are loaded separately."""
