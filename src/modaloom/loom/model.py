"""A trained model: the tokenizers of its streams and a Loom over their codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.rng import generator
from modaloom.core.types import Canvas, Field
from modaloom.diffusion.noise import Noise
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.loom import Loom
from modaloom.modalities.base import DataSpec, Value
from modaloom.tokenizers.base import Tokenizer

BATCH_SIZE = 64
"""Samples drawn at once; results do not depend on it."""


@dataclass(frozen=True)
class Stream:
    """A named column: its modality, and the tokenizer whose codes it speaks."""

    modality: str
    tokenizer: Tokenizer
    table: str
    """Streams with the same table share the Loom's embeddings and heads."""


@dataclass(frozen=True)
class Model:
    """Tokenizers and Loom; values in, values out."""

    streams: Mapping[str, Stream]
    loom: Loom

    @property
    def wanted(self) -> tuple[str, ...]:
        """The streams that the Loom has learned to draw; the others can only be given."""
        return self.loom.config.mixture.wanted or tuple(self.streams)

    def to(self, device: torch.device) -> Self:
        """Moved there, in place; values and codes stay on the CPU."""
        for module in (self.loom, *(stream.tokenizer for stream in self.streams.values())):
            module.to(device)
        return self

    @property
    def specs(self) -> dict[str, DataSpec]:
        """Stream → the form that its values are learned in."""
        return {name: stream.tokenizer.spec for name, stream in self.streams.items()}

    def as_learned(self, name: str, value: Value) -> Value:
        """A stream's value in the form that is learned and scored; see `Tokenizer.as_learned`."""
        return self.streams[name].tokenizer.as_learned(value)

    def encode(self, name: str, values: Sequence[Value]) -> Tensor:
        """Values of a stream → int64 codes (B, L, Q)."""
        tokenizer = self.streams[check_choice("stream", name, self.streams)].tokenizer
        codes = tokenizer.encode(values)
        return codes.reshape(len(values), tokenizer.shape.num_positions, tokenizer.shape.depth)

    def decode(self, name: str, codes: Tensor) -> list[Value]:
        """Codes (B, L, Q) of a stream → values."""
        tokenizer = self.streams[name].tokenizer
        shape = tokenizer.shape
        return tokenizer.decode(codes.reshape(len(codes), *shape.grid, shape.depth))

    def generate(
        self,
        given: Mapping[str, Sequence[Value]],
        want: Sequence[str],
        *,
        n: int,
        seed: int = 0,
        names: Sequence[str | int] | None = None,
        options: CodeSamplingConfig | None = None,
    ) -> list[dict[str, Value]]:
        """Draw `want` from `given`.

        Args:
            given: stream → n values.
            n: the number of samples.
            names: what each sample's randomness is derived from, besides the seed; default 0, 1, ….
                A sample depends on its name, not on its neighbours or on n.

        Returns:
            n dicts: wanted stream → value.
        """
        codes = {name: self.encode(name, values) for name, values in given.items()}
        drawn = self.generate_codes(codes, want, n=n, seed=seed, names=names, options=options)
        columns = {name: self.decode(name, drawn[name]) for name in want}
        return [{name: column[i] for name, column in columns.items()} for i in range(n)]

    def generate_codes(
        self,
        given: Mapping[str, Tensor],
        want: Sequence[str],
        *,
        n: int,
        seed: int = 0,
        names: Sequence[str | int] | None = None,
        options: CodeSamplingConfig | None = None,
    ) -> dict[str, Tensor]:
        """`generate` before decoding: stream → codes (n, L, Q)."""
        for name in (*given, *want):
            check_choice("stream", name, self.streams)
        for name in want:
            check_choice("stream to want", name, self.wanted)
        if both := set(given) & set(want):
            raise BadValue(f"{', '.join(sorted(both))} is both given and wanted; choose one")
        if not want:
            raise BadValue("nothing is wanted; name at least one stream")
        canvas = self.loom.canvas(given, want, n)
        names = range(n) if names is None else names
        parts = [
            self.loom.sample(
                _rows(canvas, slice(i, i + BATCH_SIZE)),
                options or self.loom.config.sampling,
                Noise([generator(seed, "sample", name) for name in names[i : i + BATCH_SIZE]]),
            )
            for i in range(0, n, BATCH_SIZE)
        ]
        return {name: torch.cat([part[name] for part in parts]).cpu() for name in want}


def _rows(canvas: Canvas, rows: slice) -> Canvas:
    return {
        name: Field(f.state[rows], f.known[rows], f.valid[rows], f.t[rows], f.codebook_size)
        for name, f in canvas.items()
    }
