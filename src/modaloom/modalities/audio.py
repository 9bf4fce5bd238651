"""The audio modality: sounds as `Audio` values, log-mel spectrograms as signals.

A sound's signal has one axis, frames of 10 ms, and a channel for each band of each of its channels.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.errors import BadValue, shown
from modaloom.metrics.si_sdr import si_sdr
from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_facts import describe, sounding_seconds
from modaloom.modalities.audio_file import read, write
from modaloom.modalities.audio_format import SUFFIXES
from modaloom.modalities.audio_rate import resampled
from modaloom.modalities.audio_remarks import remarks
from modaloom.modalities.audio_spec import (
    LOWEST_RATE,
    AudioLimits,
    fit,
    infer_spec,
    log_mel_of,
    shortened,
)
from modaloom.modalities.audio_value import BITS, Audio
from modaloom.modalities.audio_view import to_html
from modaloom.modalities.base import Conformed, DataSpec, Modality
from modaloom.modalities.scale import Scale
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.spectral import LogMel
from modaloom.spectral.mel import FLOOR_DB, HOPS_PER_SECOND

LEVELS = 32_768
"""Packed steps of a signal from 0 to 1: 16 bits."""
WAVE_RATE = 16_000
"""Hz of the waveforms of Restorers."""
AUDIBLE = -0.8
"""Of a log-mel: -90 dB."""
WAVE = Scale(np.dtype(np.int16), torch.tensor(-float(LEVELS)), torch.tensor(2.0 * LEVELS - 1))
"""Waveforms of Restorers: 16 bits."""
SEED = 0
"""Of the phases that a spectrogram does not have."""


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


def pack(sound: Audio, spec: DataSpec) -> NDArray[np.int16]:
    """Sound → log-mel, int16 (tracks · bands, frames): -100 dB as -32,768, 0 dB as 32,767."""
    samples = torch.from_numpy(fit(sound, spec).samples)
    packed: NDArray[np.int16] = denormalize(log_mel_of(spec).encode(samples).flatten(0, 1)).numpy()
    return packed


def unpack(packed: NDArray[np.int16], spec: DataSpec) -> Audio:
    """Log-mel → a sound with about this spectrogram, by Griffin–Lim from phases that are always the same.

    What comes after the last audible frame is silence, and costs nothing.
    """
    log_mel = normalize(torch.from_numpy(packed)).reshape(spec["tracks"], spec["bands"], -1)
    heard = np.flatnonzero((log_mel > AUDIBLE).any(1).any(0).numpy())
    mel = log_mel_of(spec)
    samples = np.zeros((spec["tracks"], max(1, packed.shape[-1]) * mel.stft.hop), np.float32)
    if len(heard):
        frames = int(heard[-1]) + 1
        n, generator = frames * mel.stft.hop, torch.Generator().manual_seed(SEED)
        samples[:, :n] = mel.decode(log_mel[..., :frames], n, generator=generator).clamp(-1, 1)
    return Audio(samples, spec["rate"], spec["type"])


def to_array(sound: Audio) -> NDArray[np.int16]:
    """Sound → its waveform, int16 (1, n), mono at `WAVE_RATE`: a Restorer's signals are all of one rate."""
    samples = resampled(mixed(sound.samples, 1), sound.rate, WAVE_RATE)
    waveform: NDArray[np.int16] = denormalize(torch.from_numpy(samples)).numpy()
    return waveform


def from_array(packed: NDArray[np.int16]) -> Audio:
    """The inverse of `to_array`."""
    return Audio((packed / LEVELS).astype(np.float32), WAVE_RATE)


def conform(source: object, made: Audio, aligned: bool, recolored: bool) -> Conformed:
    """The result of a Restorer as it is, and what it lacks of its source: a path, or what `coerce` takes."""
    sound = read(source) if isinstance(source, Path) else coerce(source)
    facts = (("Hz", sound.rate, made.rate), ("channels", sound.channels, made.channels))
    changes = [f"{had:,} {unit} became {has:,}" for unit, had, has in facts if had != has]
    if BITS[sound.type] > BITS[made.type]:
        changes.append(f"{BITS[sound.type]} bits became {BITS[made.type]}")
    return Conformed(made, changes)


def normalize(packed: Tensor) -> Tensor:
    """int16 (B, C, n) → float32 in [-1, 1]; 0 is 0."""
    return packed.float() / LEVELS


def denormalize(signal: Tensor) -> Tensor:
    """float (B, C, n) → int16, rounded and clipped."""
    return (signal.float() * LEVELS).round().clamp(-LEVELS, LEVELS - 1).to(torch.int16)


def compare(generated: Audio, truth: Audio, spec: DataSpec) -> dict[str, float]:
    """Returns `mel_distance` (dB), `duration_error` (s) and, unless the truth is silent, `si_sdr` (dB).

    The log-mel distance is the root mean square over bands, averaged over the frames until both are silent.
    Durations end where the rest is silence.
    """
    if spec:
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


AUDIO = Modality(
    name="audio",
    suffixes=SUFFIXES,
    tokenizer="vqvae",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    tokenizer_options={
        **{"strides": [4], "widths": [128, 192], "loss": "l1"},
        **{"num_quantizers": 8, "dropout": 0.5, "variable_length": True, "crop_size": [64]},
    },
    lower_is_better=("mel_distance", "duration_error"),
    codec=SignalCodec(
        pack=pack,
        unpack=unpack,
        fit=fit,
        unit=HOPS_PER_SECOND,
        to_array=to_array,
        from_array=from_array,
        normalize=normalize,
        denormalize=denormalize,
        scale=lambda facts: WAVE,
    ),
    limits=AudioLimits(),
    shortened=shortened,
    describe=describe,
    remarks=remarks,
    conform=conform,
)
