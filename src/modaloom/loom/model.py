"""A model: the tokenizers of its streams and a Loom over their codes."""

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
"""Samples generated per batch; results do not depend on it."""


@dataclass(frozen=True)
class Stream:
    """Modality and tokenizer of a stream."""

    modality: str
    tokenizer: Tokenizer
    table: str
    """Streams with the same table share the Loom's embeddings and heads."""


@dataclass(frozen=True)
class Model:
    """Tokenizers and Loom: generates values from values."""

    streams: Mapping[str, Stream]
    loom: Loom

    @property
    def wanted(self) -> tuple[str, ...]:
        """Streams that the Loom can generate; the others serve as conditions only."""
        return self.loom.config.mixture.wanted or tuple(self.streams)

    def to(self, device: torch.device) -> Self:
        """Move to the device, in place; values and codes stay on the CPU."""
        for module in (self.loom, *(stream.tokenizer for stream in self.streams.values())):
            module.to(device)
        return self

    @property
    def specs(self) -> dict[str, DataSpec]:
        """Stream → data spec of its tokenizer."""
        return {name: stream.tokenizer.spec for name, stream in self.streams.items()}

    def as_learned(self, name: str, value: Value) -> Value:
        """A stream's value within the model's limits; see `Tokenizer.as_learned`."""
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
        """Generate the streams `want` conditioned on `given`.

        Args:
            given: stream → n values.
            want: target streams, at least one.
            n: number of samples.
            seed: seed of the sampling noise.
            names: names of the samples (n), from which their noise is derived together with the seed; default
                0, 1, …. A sample depends on its own name, not on the rest of the batch or on n.
            options: sampling options; default: the model's.

        Returns:
            n dicts: target stream → value.

        Raises:
            BadValue: an unknown stream, a stream both given and a target, or no target.
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
        """`generate` without tokenization: stream → int64 codes (n, L, Q).

        Args:
            given: stream → int64 codes (n, L, Q).
            want, n, seed, names, options: as in `generate`.

        Raises:
            BadValue: as `generate`.
        """
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
