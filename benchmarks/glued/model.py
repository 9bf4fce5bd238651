"""Tokenizer, words and transformer as one model, for the same evaluation as modaloom's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from glued.autoencoder import Autoencoder, pictures, pixels, scaled
from glued.transformer import MaskedTransformer
from glued.words import Words
from modaloom.core.rng import generator

IMAGE = "image"


@dataclass(frozen=True)
class Stream:
    """A stream, as far as evaluation needs it."""

    modality: str
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class Glue:
    """Values in, values out."""

    streams: Mapping[str, Stream]
    autoencoder: Autoencoder
    words: Words
    transformer: MaskedTransformer
    losses: Mapping[str, Sequence[float]]
    """Of the tokenizer and the transformer, step by step."""

    @property
    def specs(self) -> dict[str, dict[str, Any]]:
        """Stream → the form that its values are compared in."""
        return {name: dict(stream.spec) for name, stream in self.streams.items()}

    def encode(self, name: str, values: Sequence[Any]) -> Tensor:
        """int64 (n, L)."""
        span = self.transformer.spans[name]
        if self.streams[name].modality == IMAGE:
            return self.autoencoder.encode(scaled(pixels([*values])))
        return self.words.encode(values, span.tokens.stop - span.tokens.start)

    def decode(self, name: str, codes: Tensor) -> list[Any]:
        """The inverse of `encode`."""
        if self.streams[name].modality == IMAGE:
            return pictures(self.autoencoder.decode(codes))
        return self.words.decode(codes)

    def generate(
        self,
        given: Mapping[str, Sequence[Any]],
        want: Sequence[str],
        *,
        n: int,
        seed: int = 0,
        names: Sequence[str | int] | None = None,
        options: object = None,
    ) -> list[dict[str, Any]]:
        """n samples of the target streams."""
        spans, net = self.transformer.spans, self.transformer
        tokens_BT = torch.full((n, len(net.stream_T)), net.size)
        for name, values in given.items():
            tokens_BT[:, spans[name].tokens] = self.encode(name, values) + spans[name].codes.start
        tokens_BT = net.sample(tokens_BT, want, generator(seed, "glue", *(names or ())))
        columns = {
            name: self.decode(name, tokens_BT[:, spans[name].tokens] - spans[name].codes.start)
            for name in want
        }
        return [dict(zip(columns, row)) for row in zip(*columns.values())]
