"""A VQ-VAE of the bytes of texts: bytes → convolutions over one axis → residual codes → logits of the bytes.

It loses what its codes do not hold, as byte-pair encoding does not; a code is a stretch of `strides` bytes,
whatever they are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.graph import Graph
from modaloom.modalities.base import Limits, Modality, Shortened
from modaloom.modalities.byte_codec import END, NUM_SYMBOLS
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.tokenizers.spans import Span
from modaloom.tokenizers.vqvae import VQVAETokenizer
from modaloom.tokenizers.vqvae_config import VQVAEConfig


@dataclass(frozen=True)
class ByteVQVAEConfig(VQVAEConfig):
    """Hyperparameters of a VQ-VAE of bytes."""

    strides: tuple[int, ...] = (4,)
    widths: tuple[int, ...] = (128, 256)
    latent_dim: int = 64
    linear_start: bool = False
    crop_size: tuple[int, ...] = (64,)
    variable_length: bool = True
    augment_prob: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.variable_length or self.exact_length or len(self.strides) != 1:
            raise BadValue(
                "texts by their bytes have one axis and say themselves where they end: give one number as "
                "strides, and leave out variable_length and exact_length"
            )


class ByteVQVAE(VQVAETokenizer):
    """Text ↔ a code for every few bytes, of which the last ones are its end.

    Streams share one, since its size is that of the longest text: at most `max_tokens` codes.
    """

    Config = ByteVQVAEConfig

    @staticmethod
    def codec_of(modality: Modality) -> SignalCodec:
        if modality.byte_codec is None:
            raise BadValue(f"{modality.name} is not kept as bytes; give this tokenizer to texts alone")
        return modality.byte_codec

    @classmethod
    def fit(
        cls, modality: Modality, columns: Mapping[str, Iterable[str]], limits: Limits, options: Any
    ) -> list[dict[str, Self]]:
        cls.codec_of(modality)
        (stride,) = options.strides
        longest = max((len(text.encode()) for texts in columns.values() for text in texts), default=0)
        size = stride * min(longest // stride + 1, limits.max_tokens)
        bytewise = replace(modality, infer_spec=lambda *_: {"size": [size], "channels": NUM_SYMBOLS})
        return super().fit(bytewise, columns, limits, options)

    def as_learned(self, value: str) -> str:
        """Text of no more bytes than the longest."""
        return str(self.codec.fitted(value, self.spec))

    def shortened(self, value: str) -> Sequence[Shortened]:
        (most,), n = self.sides, len(value.encode())
        how = f"are cut after {most} bytes"
        return [Shortened(how, "max_tokens", self.shape.grid[0], -(-n // self.strides[0]))] * (n > most)

    def rows(self, codes: Tensor) -> list[Tensor]:
        """Codes (n, Q) before the one that a text ends in."""
        return [row[: self._length(row) // self.strides[0]] for row in super().rows(codes)]

    def _length(self, row: Tensor) -> int:
        """Bytes of the text with these codes."""
        (ends,) = np.nonzero(self.decode_batch(row[None])[0, 0] == END)
        return int(ends[0]) if len(ends) else len(row) * self.strides[0]

    def positions_in(self, spans: Sequence[Span], value: str | None = None) -> Tensor:
        """Codes of the bytes of these characters; the end of a text is a character after the last one."""
        if value is None:
            raise BadValue("parts of a text are those of one that is given; give it")
        return super().positions_in([(_byte_of(value, a), _byte_of(value, b)) for a, b in spans], value)

    def variant(
        self, prepared: Tensor, random: Callable[[str], torch.Generator], strengths: Mapping[str, float]
    ) -> Tensor:
        raise BadValue("bytes of a text have one segmentation; leave out training.augment")

    @property
    def graphs(self) -> Mapping[str, Graph]:
        """Raises `BadValue`: sample.py has byte-pair encoding alone."""
        raise BadValue("texts by their bytes are not exported as ONNX; give them byte-pair encoding")


def _byte_of(text: str, character: float) -> float:
    """Where a character begins, in bytes; behind the end each has one."""
    if not character >= 0:
        return character
    inside = min(character, len(text))
    return len(text[: int(inside)].encode()) + character - inside
