"""Codec of continuous signals over one or more axes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.distributed import Rows
from modaloom.core.errors import BadValue
from modaloom.modalities.codec import Codec, DataSpec, Value
from modaloom.modalities.files import File
from modaloom.modalities.scale import Scale

MAX_POSITIONS, MAX_FEATURES = 256, 4096
"""Maximum number of positions in a signal's features, 16 × 16 for an image, and of features together."""


def unchanged(signal: Tensor, generator: torch.Generator, rows: Rows) -> Tensor:
    """Default of `SignalCodec.augment`: no augmentation."""
    return signal


def as_colours(packed: Tensor) -> Tensor:
    """Default of `SignalCodec.preview`: 8-bit grey or colours, as they are."""
    return packed.expand(-1, 3, *packed.shape[2:])


def no_outline(signal: Tensor) -> Tensor:
    """Default of `SignalCodec.outline`, which `has_outline` tells apart. Raises `BadValue`."""
    raise BadValue("these signals have no outline to encode apart from their tint; leave global_codes at 0")


def mean_squared_error(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """Default of `SignalCodec.loss`: mean squared error of each signal, (B,)."""
    return (reconstruction - signal).square().flatten(1).mean(1)


def relative_squared_error(reconstruction: Tensor, signal: Tensor) -> Tensor:
    """Default of `SignalCodec.relative_error`: squared error as a fraction of the signals' variance."""
    variance = (signal - signal.mean(0)).square().mean()
    return (reconstruction - signal).square().mean() / variance.clamp_min(1e-12)


def no_facts(values: Iterable[Value]) -> DataSpec:
    """Default of `SignalCodec.measure`: nothing is measured."""
    return {}


def as_made(made: Value, value: Value) -> Value:
    """Default of `SignalCodec.trim`: both have the same size."""
    return made


@dataclass(frozen=True)
class Pieces:
    """Values of any length from file to file, in the memory of a piece. Pieces follow one another along the
    first axis of packed arrays."""

    pack: Callable[[File, DataSpec], Iterator[tuple[np.ndarray, int]]]
    """File, spec → packed pieces, each with the number of samples that it is of. Together they are `pack` of
    the whole value, without a limit of its length. Raises `BadFile`."""
    unpack: Callable[[Iterable[np.ndarray], int, DataSpec, Path], None]
    """(Packed pieces, number of samples, spec, file): writes `unpack` of the whole, of so many samples."""


@dataclass(frozen=True)
class Stretches:
    """Values of any length at their own size, a stretch at a time."""

    cut: Callable[[Value], Iterator[np.ndarray]]
    """Value → pieces of `to_array`, which follow one another along its first axis."""
    made: Callable[[Callable[[], Iterator[np.ndarray]], Value, int], Value]
    """(→ pieces of an array, made anew; the value that it answers; how many times as many positions it has
    along each axis but the first) → the value of these pieces, which it makes when they are asked for."""
    length: Callable[[Value], int]
    """Value → positions of `to_array` along its first axis."""


def as_it_is(value: Value, spec: DataSpec) -> Value:
    """Default of `SignalCodec.matched`: all values have the same channels."""
    return value


def as_they_are(facts: DataSpec, factor: int) -> DataSpec:
    """Default of `SignalCodec.coarser`: the facts do not depend on the number of positions."""
    return facts


def all_of(value: Value) -> Value:
    """Default of `SignalCodec.middle`: all of a value."""
    return value


def alone(value: Value) -> Sequence[Value]:
    """Default of `SignalCodec.parts`: the whole value."""
    return (value,)


def first_of(parts: Sequence[Value]) -> Value:
    """Default of `SignalCodec.join`."""
    return parts[0]


@dataclass(frozen=True)
class SignalCodec(Codec):
    """Values ↔ packed arrays ↔ float32 signals (B, C, *axes) in [-1, 1]."""

    pack: Callable[[Value, DataSpec], np.ndarray]
    """Value → array for caches, (…, *axes) with the axes of the spec's `size`."""
    unpack: Callable[[np.ndarray, DataSpec], Value]
    """The inverse of pack, up to the spec's loss; only nearly, if `fit` is given."""
    to_array: Callable[[Value], np.ndarray]
    """Value → packed array (C, *axes) at its own size."""
    from_array: Callable[[np.ndarray, DataSpec], Value]
    """The inverse of `to_array`, with the facts on the stream."""
    normalize: Callable[[Tensor], Tensor]
    """Packed batch → float32 (B, C, *axes) in [-1, 1], the input of networks; each position by itself, so
    that the signal of a crop is the crop of the signal."""
    denormalize: Callable[[Tensor], Tensor]
    """The inverse of `normalize`, with rounding and clipping."""
    fit: Callable[[Value, DataSpec], Value] | None = None
    """Value → what its packed array is made of, of the spec's size; None: what `unpack` returns for it."""
    preview: Callable[[Tensor], Tensor] = as_colours
    """Packed batch (B, C, H, W) → uint8 (B, 3, H, W), to be looked at."""
    look: Callable[[Tensor], Tensor] | None = None
    """Packed batch of one axis (B, C, n) → uint8 (B, 3, H, n), to be looked at; None: it has no look."""
    loss: Callable[[Tensor, Tensor], Tensor] = mean_squared_error
    """(reconstruction, signal) → reconstruction loss (B,), unless a tokenizer is given another."""
    relative_error: Callable[[Tensor, Tensor], Tensor] = relative_squared_error
    """(reconstruction, signal) → error of a batch, a scalar: 0 is lossless, 1 that of the best constant."""
    augment: Callable[[Tensor, torch.Generator, Rows], Tensor] = unchanged
    """(signal batch, generator, where its rows are) → augmented batch, for the training of tokenizers."""
    augmentations: Mapping[str, Callable[..., Tensor]] = field(default_factory=dict, hash=False)
    """Name → transform of a signal (C, *axes) with a strength and the keyword `generator`; applied in this
    order."""
    outline: Callable[[Tensor], Tensor] = no_outline
    """Signal batch → (B, 1, *axes), equal for signals that only differ in tint (an image's colours)."""
    measure: Callable[[Iterable[Value]], DataSpec] = no_facts
    """Training values → JSON-able facts on the values of a stream at any size, for `scale` and `matched`;
    `infer_spec` has them, too. Raises `BadValue` for values that make no stream."""
    scale: Callable[[DataSpec], Scale] | None = None
    """These facts → how values of `to_array` are signals. None: 8 bits, by `normalize` and `denormalize`."""
    trim: Callable[[Value, Value], Value] = as_made
    """(Decoded value, value that was encoded) → the former at the latter's length."""
    pieces: Pieces | None = None
    """How values are packed and unpacked in pieces; None: as a whole alone."""
    stretches: Stretches | None = None
    """How a Restorer answers values of any length; None: as a whole."""
    middle: Callable[[Value], Value] = all_of
    """Value → as much of it as a Restorer is trained on and scored on: all, or what the memory holds."""
    matched: Callable[[Value, DataSpec], Value] = as_it_is
    """Value, facts → the value with the stream's channels. Raises `BadValue` for values of another kind."""
    coarser: Callable[[DataSpec, int], DataSpec] = as_they_are
    """Facts, factor → those of values with so many times fewer positions."""
    axes: int = 2
    """Of `to_array`: 1, time, with one channel by `matched`; 2, rows and columns; 3, time before these."""
    waveform: "SignalCodec | None" = None
    """The codec, of the same specs, of the samples that these signals are computed from; None: of none."""
    parts: Callable[[Value], Sequence[Value]] = alone
    """Value → what a Restorer answers one by one: the channels of a sound."""
    join: Callable[[Sequence[Value]], Value] = first_of
    """The inverse of `parts`."""

    continuous: ClassVar[bool] = True
    whole: ClassVar[bool] = True

    @property
    def is_waveform(self) -> bool:
        """Whether values are sounds."""
        return self.axes == 1

    @property
    def measures(self) -> bool:
        """Whether values of a stream have facts."""
        return self.measure is not no_facts

    @property
    def is_8_bit(self) -> bool:
        """Whether signals are 8-bit grey or colours, with all that is defined for these alone."""
        return self.scale is None

    @property
    def has_outline(self) -> bool:
        """Whether a tokenizer can encode outline and global tint separately."""
        return self.outline is not no_outline

    def shape(self, spec: DataSpec) -> tuple[int, tuple[int, ...]]:
        """Returns channels and sides of the signals of a spec."""
        return spec["channels"], tuple(spec["size"])

    def unit_of(self, spec: DataSpec) -> float:
        """Returns the positions along the first axis that are a unit of it: a pixel, a frame, a second."""
        return 1.0

    def end_of(self, value: Value, positions: int, spec: DataSpec) -> float:
        """Returns how long a value of so many positions is, in that unit."""
        return positions / self.unit_of(spec)

    def variant(
        self, packed: Tensor, random: Callable[[str], torch.Generator], strengths: Mapping[str, float]
    ) -> Tensor:
        """Returns a packed value (…, *axes), changed by the augmentations that have a strength.

        `random`: name of an augmentation → its generator.
        """
        signal = self.normalize(packed[None])[0]
        for name, transform in self.augmentations.items():
            if name in strengths:
                signal = transform(signal, strengths[name], generator=random(name))
        return self.denormalize(signal[None])[0]

    def blank(self, spec: DataSpec) -> Value:
        """Returns the value of the spec's size whose signal is 0 everywhere."""
        packed = self.denormalize(torch.zeros(1, spec["channels"], *spec["size"]))[0].numpy()
        return self.unpack(packed, spec)

    def fitted(self, value: Value, spec: DataSpec) -> Value:
        """Returns what the spec keeps of a value, of the spec's size."""
        return self.unpack(self.pack(value, spec), spec) if self.fit is None else self.fit(value, spec)

    def features(self, values: Sequence[Value], spec: DataSpec) -> Tensor:
        """Returns the signals, average-pooled to at most MAX_POSITIONS positions and MAX_FEATURES values.

        One of variable length is stretched to the longest.
        """
        positions = max(1, min(MAX_POSITIONS, MAX_FEATURES // spec["channels"]))
        side = int(positions ** (1 / len(spec["size"])) + 1e-6)
        sides = [min(side, n) for n in spec["size"]]
        signals = (self.normalize(torch.from_numpy(np.stack([self.pack(value, spec)]))) for value in values)
        return torch.cat([F.interpolate(signal, sides, mode="area").flatten(1) for signal in signals])

    def identity_keys(self, values: Sequence[Value], spec: DataSpec) -> list[bytes]:
        """Returns the bytes of the packed values."""
        return [self.pack(value, spec).tobytes() for value in values]
