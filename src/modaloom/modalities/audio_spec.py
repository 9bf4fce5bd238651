"""Rate, channels and length of the sounds of a stream, as measured on training sounds, and their limits."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modaloom.core.errors import BadValue, check_range
from modaloom.modalities.audio_channels import mixed
from modaloom.modalities.audio_rate import resampled, resampled_length
from modaloom.modalities.audio_value import MAX_CHANNELS, MAX_RATE, Audio
from modaloom.modalities.base import VARIABLE, DataSpec, Shortened
from modaloom.spectral import LogMel

LOWEST_RATE = 8_000
"""Rate that sounds of lower ones are brought to: 80 bands need it."""
BEYOND = 1.0
"""Seconds after a cut that resampling sees, more than its filter is long."""


@dataclass(frozen=True)
class AudioLimits:
    """Limits on the size of sounds."""

    max_seconds: int = 4
    """Maximum duration in seconds, at least 1."""
    max_rate: int = 16_000
    """Maximum rate in Hz, at least 8,000: half of it is the highest frequency that is kept."""
    max_channels: int = 1
    """Maximum number of channels: 1 is mono, 2 stereo, 6 is 5.1."""

    def __post_init__(self) -> None:
        check_range("max_seconds", self.max_seconds, 1)
        check_range("max_rate", self.max_rate, LOWEST_RATE, MAX_RATE)
        check_range("max_channels", self.max_channels, 1, MAX_CHANNELS)


def infer_spec(sounds: Iterable[Audio], limits: AudioLimits) -> DataSpec:
    """Infers `rate` and `type`, the most common ones, `tracks`, the most channels of a sound, `bands` of each
    of them, `channels` of the signal, tracks · bands, and `size`, [frames] of the longest sound.

    Rate, tracks and frames are at most those of the limits.
    """
    seconds, tracks = 0.0, 1
    rates: Counter[int] = Counter()
    types: Counter[str] = Counter()
    for sound in sounds:
        seconds, tracks = max(seconds, sound.seconds), max(tracks, sound.channels)
        rates[sound.rate] += 1
        types[sound.type] += 1
    if not rates:
        raise BadValue("no sound can be read; give at least one")
    rate = max(LOWEST_RATE, min(limits.max_rate, commonest(rates)))
    tracks, bands = min(tracks, limits.max_channels), LogMel(rate).bands
    samples = max(1, round(min(seconds, limits.max_seconds) * rate))
    return {
        "size": [LogMel(rate).stft.num_frames(samples)],
        "channels": tracks * bands,
        "tracks": tracks,
        "bands": bands,
        "rate": rate,
        "type": commonest(types),
    }


def commonest(counts: Counter[Any]) -> Any:
    """The most frequent value, of equal ones the largest."""
    return max(counts, key=lambda value: (counts[value], value))


def log_mel_of(spec: DataSpec) -> LogMel:
    """The spectrogram that sounds of a spec are packed as."""
    return LogMel(spec["rate"], spec["bands"])


def num_samples(spec: DataSpec) -> int:
    """Samples of each channel that a spec's frames are of."""
    frames: int = spec["size"][0]
    return frames * log_mel_of(spec).stft.hop


def fit(sound: Audio, spec: DataSpec) -> Audio:
    """A sound at the spec's rate, channels and length: resampled, mixed, cut or followed by silence.

    Its loudness stays as it is. With `VARIABLE`, a shorter one keeps its length.
    """
    n = num_samples(spec)
    enough = math.ceil((n / spec["rate"] + BEYOND) * sound.rate)
    kept = mixed(sound.samples[:, :enough], spec["tracks"])
    samples = resampled(kept, sound.rate, spec["rate"])[:, :n]
    if VARIABLE not in spec:
        samples = np.pad(samples, [(0, 0), (0, n - samples.shape[1])])
    return Audio(samples, spec["rate"], spec["type"])


def trim(made: Audio, sound: Audio) -> Audio:
    """A sound that was made of another one's frames, without what is after the end of that one."""
    n = resampled_length(sound.samples.shape[1], sound.rate, made.rate)
    return replace(made, samples=made.samples[:, :n])


def shortened(sound: Audio, spec: DataSpec) -> Sequence[Shortened]:
    """What a spec cuts from a sound: its end, its highest frequencies, its directions."""
    rate, tracks, seconds = spec["rate"], spec["tracks"], num_samples(spec) / spec["rate"]
    found = []
    if sound.seconds > seconds:
        how = f"are cut after {seconds:g} seconds"
        found.append(Shortened(how, "max_seconds", math.ceil(seconds), math.ceil(sound.seconds)))
    if sound.rate > rate:
        found.append(Shortened(f"are resampled to {rate:,} Hz", "max_rate", rate, sound.rate, True))
    if sound.channels > tracks:
        how = f"are mixed down to {tracks} channel{'s' * (tracks > 1)}"
        found.append(Shortened(how, "max_channels", tracks, sound.channels, True))
    return found
