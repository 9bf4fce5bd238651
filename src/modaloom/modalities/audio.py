"""The audio modality: sounds as `Audio` values, log-mel spectrograms as signals.

A sound's signal has one axis, frames of 10 ms, and a channel for each band of each of its channels.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from modaloom.core.errors import BadValue, shown
from modaloom.metrics.si_sdr import si_sdr
from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_facts import describe, sounding_seconds
from modaloom.modalities.audio_file import read, read_pieces, write, write_pieces
from modaloom.modalities.audio_format import SUFFIXES
from modaloom.modalities.audio_packing import (
    LEVELS,
    denormalize,
    normalize,
    pack,
    pack_pieces,
    unpack,
    unpack_pieces,
)
from modaloom.modalities.audio_rate import resampled, resampled_length
from modaloom.modalities.audio_remarks import remarks
from modaloom.modalities.audio_spec import (
    LOWEST_RATE,
    AudioLimits,
    commonest,
    fit,
    infer_spec,
    log_mel_of,
    shortened,
    trim,
)
from modaloom.modalities.audio_value import BITS, Audio
from modaloom.modalities.audio_view import look, picture, to_html
from modaloom.modalities.base import Conformed, DataSpec, Modality
from modaloom.modalities.files import File
from modaloom.modalities.scale import Scale
from modaloom.modalities.signal_codec import Pieces
from modaloom.modalities.waveform import WAVEFORM, SoundCodec
from modaloom.spectral import LogMel
from modaloom.spectral.mel import FLOOR_DB

WAVE = Scale(np.dtype(np.int16), torch.tensor(-float(LEVELS)), torch.tensor(2.0 * LEVELS - 1))
"""Waveforms of Restorers: 16 bits."""


def coerce(value: object) -> Audio:
    """`Audio`, a path as str, or (array, rate) → sound. Raises `BadValue` and `BadFile`.

    An array is (n,) or (channels, n), of floats in [-1, 1] or 16-bit integers.
    """
    if isinstance(value, Audio):
        return value
    if isinstance(value, str):
        return read(Path(value))
    match value:
        case (np.ndarray() as array, int() | np.integer() as rate):
            return _of_array(array, int(rate))
    raise BadValue(
        f"{shown(value)} is no sound; give a (NumPy array, rate in Hz), an Audio, or the path of a file"
    )


def _of_array(array: NDArray[np.generic], rate: int) -> Audio:
    samples = np.atleast_2d(array)
    if samples.dtype == np.int16:
        return Audio((samples / LEVELS).astype(np.float32), rate)
    if samples.dtype.kind != "f":
        raise BadValue(f"has samples of type {array.dtype}; give floats from -1 to 1, or int16")
    return Audio(np.ascontiguousarray(samples, np.float32), rate, "float32")


def pack_file(path: File, spec: DataSpec) -> Iterator[tuple[NDArray[np.int16], int]]:
    """File → pieces of its log-mel, as `pack_pieces`. Raises `BadFile`."""
    return pack_pieces(read_pieces(path), spec)


def unpack_file(packed: Iterable[NDArray[np.int16]], n: int, spec: DataSpec, path: Path) -> None:
    """Writes a wav of n samples of each channel from pieces of a log-mel."""
    write_pieces(unpack_pieces(packed, spec), n, path)


def from_array(packed: NDArray[np.int16], facts: DataSpec) -> Audio:
    """Waveform, int16 (channels, n), at the stream's rate → sound."""
    return Audio((packed / LEVELS).astype(np.float32), facts["rate"])


def measure(sounds: Iterable[Audio]) -> DataSpec:
    """The most common rate: a Restorer's waveforms are all of one."""
    return {"rate": commonest(Counter(sound.rate for sound in sounds))}


def matched(sound: Audio, facts: DataSpec) -> Audio:
    """In mono, at the stream's rate."""
    samples = resampled(mixed(sound.samples, 1), sound.rate, facts["rate"])
    return Audio(samples, facts["rate"], sound.type)


def coarser(facts: DataSpec, factor: int) -> DataSpec:
    """Facts on sounds of a lower rate."""
    return {**facts, "rate": facts["rate"] // factor}


def channels_of(sound: Audio) -> list[Audio]:
    """Each channel by itself."""
    return [replace(sound, samples=channel) for channel in np.split(sound.samples, sound.channels)]


def of_channels(sounds: Sequence[Audio]) -> Audio:
    """The inverse of `channels_of`."""
    return replace(sounds[0], samples=np.concatenate([sound.samples for sound in sounds]))


def conform(source: object, made: Audio, aligned: bool, recolored: bool) -> Conformed:
    """The result of a Restorer, as long as its source, a path or what `coerce` takes, if they are aligned;
    and what it lacks of the source."""
    sound = read(source) if isinstance(source, File) else coerce(source)
    if aligned:
        n = resampled_length(sound.samples.shape[1], sound.rate, made.rate)
        missing = max(0, n - made.samples.shape[1])
        made = replace(made, samples=np.pad(made.samples, [(0, 0), (0, missing)], mode="edge")[:, :n])
    facts = (("Hz", sound.rate, made.rate), ("channels", sound.channels, made.channels))
    changes = [f"{had:,} {unit} became {has:,}" for unit, had, has in facts if had != has]
    if BITS[sound.type] > BITS[made.type]:
        changes.append(f"{BITS[sound.type]} bits became {BITS[made.type]}")
    return Conformed(made, changes)


def compare(generated: Audio, truth: Audio, spec: DataSpec) -> dict[str, float]:
    """Returns `mel_distance` (dB), `duration_error` (s) and, unless the truth is silent, `si_sdr` (dB).

    The log-mel distance is the root mean square over bands, averaged over the frames until both are silent.
    Durations end where the rest is silence.
    """
    if "size" in spec:
        generated, truth = fit(generated, spec), fit(truth, spec)
    seconds = [sounding_seconds(sound) for sound in (generated, truth)]
    longest = max(generated.samples.shape[1], truth.samples.shape[1])
    generated, truth = (_followed_by_silence(sound, longest) for sound in (generated, truth))
    figures = {
        "mel_distance": mel_distance(generated, truth, max(seconds)),
        "duration_error": abs(seconds[0] - seconds[1]),
    }
    if truth.samples.any():
        figures["si_sdr"] = si_sdr(generated.samples, truth.samples)
    return figures


def _followed_by_silence(sound: Audio, n: int) -> Audio:
    """The sound with silence up to n samples."""
    missing = n - sound.samples.shape[1]
    return replace(sound, samples=np.pad(sound.samples, [(0, 0), (0, missing)])) if missing > 0 else sound


def mel_distance(a: Audio, b: Audio, seconds: float) -> float:
    """Distance of the log-mel spectrograms of the first seconds, at least a frame, in dB."""
    log_mel = LogMel(max(LOWEST_RATE, a.rate))
    frames = max(1, log_mel.stft.num_frames(round(seconds * a.rate)))
    near, far = (log_mel.encode(torch.from_numpy(sound.samples))[..., :frames] for sound in (a, b))
    return float(((near - far) * FLOOR_DB / 2).square().mean(-2).sqrt().mean())


class SpectrogramCodec(SoundCodec):
    """Signals of frames."""

    def unit_of(self, spec: DataSpec) -> float:
        return float(spec["rate"] / log_mel_of(spec).stft.hop)


AUDIO = Modality(
    name="audio",
    feature="Audio",
    suffixes=SUFFIXES,
    tokenizer="vqvae",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    picture=picture,
    tokenizer_options={
        **{"strides": [4], "widths": [128, 192], "loss": "level_weighted", "variable_length": True},
        **{"num_quantizers": 8, "dropout": 0.5, "beam_width": 16, "crop_size": [64]},
    },
    lower_is_better=("mel_distance", "duration_error"),
    codec=SpectrogramCodec(
        pack=pack,
        unpack=unpack,
        fit=fit,
        to_array=WAVEFORM.to_array,
        from_array=from_array,
        normalize=normalize,
        denormalize=denormalize,
        look=look,
        measure=measure,
        matched=matched,
        coarser=coarser,
        axes=1,
        parts=channels_of,
        join=of_channels,
        scale=lambda facts: WAVE,
        trim=trim,
        pieces=Pieces(pack_file, unpack_file),
        waveform=WAVEFORM,
    ),
    limits=AudioLimits(),
    shortened=shortened,
    describe=describe,
    length=lambda sound: sound.seconds,
    remarks=remarks,
    conform=conform,
)
