"""A model: the tokenizers of its streams and a Loom over their codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.frame import Frames, finished
from modaloom.core.rng import generator
from modaloom.core.types import Canvas
from modaloom.diffusion.noise import Noise
from modaloom.loom.canvas import NOTHING
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.fields import noised_field, rows_of
from modaloom.loom.generated import Generated, GeneratedSamples
from modaloom.loom.layout import length_field
from modaloom.loom.loom import Loom
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import DataSpec, Value
from modaloom.tokenizers.base import Tokenizer
from modaloom.tokenizers.file_codec import FileCodec
from modaloom.tokenizers.spans import TOLERANCE

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

    @property
    def files(self) -> dict[str, FileCodec]:
        """Streams whose files may be of any length → what encodes and decodes them; see `Tokenizer.files`."""
        found = {name: stream.tokenizer.files for name, stream in self.streams.items()}
        return {name: codec for name, codec in found.items() if codec is not None}

    @property
    def sizes(self) -> dict[str, int]:
        """Stream → its number of codes, at most."""
        return {name: stream.tokenizer.shape.num_codes for name, stream in self.streams.items()}

    def as_learned(self, name: str, value: Value) -> Value:
        """A stream's value within the model's limits; see `Tokenizer.as_learned`."""
        return self.streams[name].tokenizer.as_learned(value)

    def encode(self, name: str, values: Sequence[Value]) -> Tensor:
        """Values of a stream → int64 codes (B, L, Q)."""
        tokenizer = self.streams[check_choice("stream", name, self.streams)].tokenizer
        codes = tokenizer.encode(values)
        return codes.reshape(len(values), tokenizer.shape.num_positions, tokenizer.shape.depth)

    def decode(self, name: str, codes: Tensor) -> list[Value]:
        """Codes (B, L, Q) of a stream → values; of a variable one, L may be any."""
        tokenizer = self.streams[name].tokenizer
        return tokenizer.decode(tokenizer.shape.on_grid(codes))

    def trimmed(self, name: str, rebuilt: Value, value: Value) -> Value:
        """What a stream's value became by encoding and decoding; see `Tokenizer.trimmed`."""
        return self.streams[name].tokenizer.trimmed(rebuilt, value)

    def codes(self, given: Mapping[str, Sequence[Value]]) -> dict[str, Tensor]:
        """Stream → n values, encoded to int64 codes (n, L, Q); an object that is repeated is encoded once."""
        return {name: self._encode_once(name, values) for name, values in given.items()}

    def _encode_once(self, name: str, values: Sequence[Value]) -> Tensor:
        objects = {id(value): value for value in values}
        place = {key: i for i, key in enumerate(objects)}
        return self.encode(name, [*objects.values()])[[place[id(value)] for value in values]]

    def values(
        self, codes: Mapping[str, Tensor], kept: Mapping[str, Sequence[Value]] = NOTHING
    ) -> list[Generated]:
        """Stream → int64 codes (n, L, Q), decoded: n samples. `kept`: stream → the values that parts were
        kept of; what has as many codes is as long."""
        columns = {name: self.decode(name, column) for name, column in codes.items()}
        for name in kept.keys() & columns.keys():
            columns[name] = [self._as_long(name, *pair) for pair in zip(columns[name], kept[name])]
        modality_of = {name: self.streams[name].modality for name in columns}
        return GeneratedSamples(
            Generated(dict(zip(columns, row)), {name: codes[name][i] for name in codes}, modality_of)
            for i, row in enumerate(zip(*columns.values(), strict=True))
        )

    def _as_long(self, name: str, made: Value, value: Value) -> Value:
        """`made`, as long as `value` if no code is beyond that."""
        tokenizer, measure = self.streams[name].tokenizer, MODALITIES[self.streams[name].modality].length
        if tokenizer.files is None or measure is None:
            return made
        is_longer = measure(made) - measure(value) > tokenizer.extent[1] - TOLERANCE
        return made if is_longer else tokenizer.trimmed(made, value)

    def generate(
        self,
        given: Mapping[str, Sequence[Value]],
        want: Sequence[str],
        *,
        n: int,
        seed: int = 0,
        names: Sequence[str | int] | None = None,
        options: CodeSamplingConfig | None = None,
    ) -> list[Generated]:
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
            n samples: target stream → value, and their codes.

        Raises:
            BadValue: an unknown stream, a stream both given and a target, or no target.
        """
        frames = self.stream(self.codes(given), want, n=n, seed=seed, names=names, options=options)
        return self.values(finished(frames))

    def stream(
        self,
        given: Mapping[str, Tensor],
        want: Sequence[str],
        *,
        n: int,
        seed: int = 0,
        names: Sequence[str | int] | None = None,
        options: CodeSamplingConfig | None = None,
        kept: Mapping[str, Tensor] = NOTHING,
        strength: Mapping[str, float] = NOTHING,
    ) -> Frames[dict[str, Tensor]]:
        """`generate` from codes to codes, step by step; see `Loom.stream`.

        Args:
            given: stream → int64 codes (n, L, Q).
            want, n, seed, names, options: as in `generate`.
            kept: stream of both `given` and `want` → bool (L,), the positions whose codes stay.
            strength: stream of `kept` → t in (0, 1], the noise level at which its other codes, as they are
                given, are taken as the start; 1, the default, starts from noise alone.

        Returns:
            Frames whose result is target stream → int64 codes (n, L, Q), on the CPU. The preview shows the
            batch of up to `BATCH_SIZE` samples that is being generated.

        Raises:
            BadValue: as `generate`.
        """
        for name in (*given, *want):
            check_choice("stream", name, self.streams)
        for name in want:
            check_choice("stream to want", name, self.wanted)
        if both := set(given) & set(want) - set(kept):
            raise BadValue(f"{', '.join(sorted(both))} is both given and wanted; choose one")
        if not want:
            raise BadValue("nothing is wanted; name at least one stream")
        canvas = self.loom.canvas(given, want, n, kept)
        for name, t in strength.items():
            canvas |= self._noised(canvas, name, t)
        for name in kept:
            if bool(canvas[name].known.all()):
                raise BadValue(f"all of {name} is kept; keep a part, or want another stream")
            if name not in strength and not bool(canvas[name].known.any()):
                raise BadValue(f"nothing of {name} is kept: the parts to keep are past its end")
        names = range(n) if names is None else names
        return self._stream(canvas, want, names, seed, options or self.loom.config.sampling)

    def _noised(self, canvas: Canvas, name: str, t: float) -> Canvas:
        """The fields of a stream at a strength; shared codes, too, unless a part of the value is kept."""
        others = [key for key in self.loom.layout.fields_of(name) if key != name]
        if not all(bool(canvas[key].known.all()) for key in others):
            raise BadValue(f"{name} is empty, or kept to its end, so that it goes on; leave out its strength")
        shared = [key for key in others if key != length_field(name)]
        changed = [name, *([] if bool(canvas[name].known.any()) else shared)]
        return {key: noised_field(canvas[key], t, whole=key in shared) for key in changed}

    def _stream(
        self,
        canvas: Canvas,
        want: Sequence[str],
        names: Sequence[str | int],
        seed: int,
        options: CodeSamplingConfig,
    ) -> Frames[dict[str, Tensor]]:
        def wanted(codes: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: codes[name].cpu() for name in want if name in codes}

        parts: list[dict[str, Tensor]] = []
        starts = range(0, len(names), BATCH_SIZE)
        for i, first in enumerate(starts):
            rows = slice(first, first + BATCH_SIZE)
            noise = Noise([generator(seed, "sample", name) for name in names[rows]])
            for part in self.loom.stream(_rows(canvas, rows), options, noise):
                frame = part.map(wanted)
                parts += [] if frame.result is None else [frame.result]
                yield replace(
                    frame,
                    step=i * frame.total + frame.step,
                    total=len(starts) * frame.total,
                    result=_joined(parts) if len(parts) == len(starts) else None,
                    first=first,
                )

    def num_steps(
        self,
        want: Sequence[str],
        options: CodeSamplingConfig,
        given: Mapping[str, Tensor] = NOTHING,
        kept: Mapping[str, Tensor] = NOTHING,
    ) -> int:
        """The number of steps of `stream` for a batch of these target streams; `given`: codes (1, L, Q) of
        those in `kept`."""
        canvas = self.loom.canvas(given, want, 1, kept)
        return self.loom.num_steps([key for key, f in canvas.items() if not bool(f.known.all())], options)


def _joined(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _rows(canvas: Canvas, rows: slice) -> Canvas:
    return {name: rows_of(f, rows) for name, f in canvas.items()}
