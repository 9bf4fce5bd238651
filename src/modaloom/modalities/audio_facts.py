"""Facts of sounds: durations, levels, silence and clipping."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from modaloom.modalities.audio_value import Audio

SILENT_DB = -60.0
"""Root mean square of 10 ms, below full scale, under which the end of a sound is silence."""
NOTHING_DB = -120.0
"""Level of digital silence."""
MIN_CLIPPED = 4
"""Samples in a row at full scale."""


def level(sound: Audio) -> float:
    """Root mean square of all samples in dB below full scale, at least `NOTHING_DB`."""
    return decibels(float(np.square(sound.samples, dtype=np.float64).mean()))


def decibels(power: float) -> float:
    """Power → dB, at least `NOTHING_DB`."""
    return 10 * math.log10(max(power, 10 ** (NOTHING_DB / 10)))


def sounding_seconds(sound: Audio) -> float:
    """Seconds until the last 10 ms that are louder than `SILENT_DB`; 0 of silence."""
    hop = round(sound.rate / 100)
    power = np.square(sound.samples, dtype=np.float64).mean(0)
    frames = np.pad(power, (0, -len(power) % hop)).reshape(-1, hop).mean(1)
    heard = np.flatnonzero(frames > 10 ** (SILENT_DB / 10))
    return min(sound.seconds, (int(heard[-1]) + 1) * hop / sound.rate) if len(heard) else 0.0


def describe(sounds: Iterable[Audio]) -> dict[str, Any]:
    """Returns shortest, median, longest and total duration, rates, channels, the range of levels (dB of full
    scale), and how many sounds are silent or clipped, if any."""
    seconds, levels = [], []
    rates: Counter[int] = Counter()
    channels: Counter[int] = Counter()
    clipped = 0
    for sound in sounds:
        seconds.append(sound.seconds)
        levels.append(level(sound))
        rates[sound.rate] += 1
        channels[sound.channels] += 1
        clipped += is_clipped(sound)
    silent = sum(one < SILENT_DB for one in levels)
    return {
        "shortest": f"{min(seconds):.2f} s",
        "median": f"{statistics.median(seconds):.2f} s",
        "longest": f"{max(seconds):.2f} s",
        "total": f"{sum(seconds) / 60:.1f} minutes",
        "rate": _counted(rates, " Hz"),
        "channels": _counted(channels, ""),
        "level": f"{min(levels):.0f} to {max(levels):.0f} dB",
        **({"silent": silent} if silent else {}),
        **({"clipped": clipped} if clipped else {}),
    }


def is_clipped(sound: Audio) -> bool:
    """Whether the waveform has flat tops at full scale."""
    full = np.abs(sound.samples) >= 1 - 2**-14
    runs = np.lib.stride_tricks.sliding_window_view(full, min(MIN_CLIPPED, full.shape[1]), axis=1)
    return bool(runs.all(-1).any())


def _counted(counts: Counter[int], unit: str) -> str:
    """`16,000 Hz`, or `16,000 Hz (12), 44,100 Hz (3)`."""
    if len(counts) == 1:
        return f"{next(iter(counts)):,}{unit}"
    return ", ".join(f"{value:,}{unit} ({count})" for value, count in sorted(counts.items()))
