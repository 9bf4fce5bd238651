"""Tokenizer, words and transformer as one model, for the same evaluation as modaloom's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from glued.autoencoder import Autoencoder, pictures, pixels, scaled
from glued.transformer import MaskedTransformer
from glued.words import Words
from modaloom.core.frame import Frames, last
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

    def trimmed(self, name: str, rebuilt: Any, value: Any) -> Any:
        """Every value has one size: it stays."""
        return rebuilt

    def stream(
        self,
        given: Mapping[str, Tensor],
        want: Sequence[str],
        *,
        n: int,
        seed: int = 0,
        names: Sequence[str | int] | None = None,
        options: object = None,
    ) -> Frames[dict[str, Tensor]]:
        """Codes (n, L) of the target streams, in one step."""
        spans, net = self.transformer.spans, self.transformer
        tokens_BT = torch.full((n, len(net.stream_T)), net.size)
        for name, codes in given.items():
            tokens_BT[:, spans[name].tokens] = codes + spans[name].codes.start
        tokens_BT = net.sample(tokens_BT, want, generator(seed, "glue", *(names or ())))
        yield last({name: tokens_BT[:, spans[name].tokens] - spans[name].codes.start for name in want})

    def values(self, codes: Mapping[str, Tensor]) -> list[dict[str, Any]]:
        """Stream → codes, decoded: n samples."""
        columns = {name: self.decode(name, column) for name, column in codes.items()}
        return [dict(zip(columns, row)) for row in zip(*columns.values())]
