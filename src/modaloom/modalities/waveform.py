"""Sounds as their samples: the signals of a codec that is learned from wave to wave.

Specs are those of `audio`. The signal has one axis, samples at the spec's rate, and a channel for each track.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from modaloom.modalities.audio_file import read_pieces, write_pieces
from modaloom.modalities.audio_packing import LEVELS, denormalize, fitted, normalize
from modaloom.modalities.audio_spec import fit, num_samples, trim
from modaloom.modalities.audio_value import Audio, Samples
from modaloom.modalities.base import DataSpec, Value
from modaloom.modalities.files import File
from modaloom.modalities.signal_codec import Pieces, SignalCodec

Packed = NDArray[np.int16]
"""(tracks, n)."""


def to_array(samples: Samples) -> Packed:
    """Samples (C, n) from -1 to 1 → 16 bits."""
    packed: Packed = denormalize(torch.from_numpy(samples)).numpy()
    return packed


def pack(sound: Audio, spec: DataSpec) -> Packed:
    """Sound → its samples at the spec's rate, tracks and length."""
    return to_array(fit(sound, spec).samples)


def unpack(packed: Packed, spec: DataSpec) -> Audio:
    """The inverse of `pack`, for sounds of the spec's rate and tracks; of no samples, a silent one."""
    whole = packed if packed.shape[1] else np.zeros_like(packed, shape=(len(packed), 1))
    return Audio((whole / LEVELS).astype(np.float32), spec["rate"], spec["type"])


def pack_file(path: File, spec: DataSpec) -> Iterator[tuple[Packed, int]]:
    """File → pieces, as of `Pieces.pack`. Raises `BadFile`."""
    for samples in fitted(read_pieces(path), spec):
        yield to_array(samples), samples.shape[1]


def unpack_file(packed: Iterable[Packed], n: int, spec: DataSpec, path: Path) -> None:
    """Writes a wav of n samples of each track."""
    write_pieces((unpack(piece, spec) for piece in packed), n, path)


class SoundCodec(SignalCodec):
    """Signals of sounds, counted in seconds."""

    def end_of(self, value: Value, positions: int, spec: DataSpec) -> float:
        seconds: float = value.seconds
        return min(seconds, positions / self.unit_of(spec))


class WaveformCodec(SoundCodec):
    """Signals whose size is not that of the spec, which is a spectrogram's."""

    def shape(self, spec: DataSpec) -> tuple[int, tuple[int, ...]]:
        return spec["tracks"], (num_samples(spec),)

    def unit_of(self, spec: DataSpec) -> float:
        return float(spec["rate"])


WAVEFORM = WaveformCodec(
    pack=pack,
    unpack=unpack,
    to_array=lambda sound: to_array(sound.samples),
    from_array=unpack,
    normalize=normalize,
    denormalize=denormalize,
    trim=trim,
    axes=1,
    pieces=Pieces(pack_file, unpack_file),
)
