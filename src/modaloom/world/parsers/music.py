"""Music → tempo, instrument and register. Hand-written; shares no code with the renderer.

1. Onsets are peaks of the spectral flux (Dixon 2006); the median interval between them is the beat.
2. The fundamental of a note is its lowest strong partial, read from the spectrum between two onsets.
3. The partials at 2, 2.76 and 3 times the fundamental tell the instrument.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from modaloom.modalities.audio_value import Audio
from modaloom.world.parsers.hearing import RATE, Array, heard, spectra
from modaloom.world.scene import INVALID

HOP, WINDOW = 80, 512
"""5 and 32 ms."""
LEAST_INTERVAL = 0.2
"""Seconds between onsets."""
MIN_RISE = 0.4
"""Least spectral flux of an onset, relative to the strongest."""
COMPRESSION = 2.0
"""Of loudness before the flux, log(1 + c · loudness / the loudest): little, so that what a codec adds to a
held note is no onset."""
BEATS: Mapping[str, tuple[float, float]] = {"slow": (1.4, 1.65), "medium": (1.85, 2.2), "fast": (2.7, 3.3)}
"""Tempo → lowest and highest beats per second."""
MAX_SWING = 0.1
"""Largest deviation of an interval from the beat, relative to it."""
REGISTERS: Mapping[str, tuple[float, float]] = {"low": (95, 290), "high": (400, 1200)}
"""Register → lowest and highest fundamental, Hz."""
FADED = 0.05
"""Of a partial's power, relative to the strongest: it is no fundamental."""
PARTIALS = (2.0, 2.756, 3.0)
"""Relative to the fundamental: of strings, bars, and square waves as well as strings."""
MIN_PARTIAL_DB, MIN_LEAD_DB = -25.0, 5.0
"""Least power of the strongest of these partials, beside the fundamental's and beside the next strongest."""


def parse_music(sound: Audio) -> dict[str, str]:
    """`tempo`, `instrument` and `register` → value or `INVALID`."""
    samples = heard(sound)
    onsets = find_onsets(samples)
    notes = [partials(samples[first:last]) for first, last in pairwise(onsets)]
    if not notes:
        return dict.fromkeys(("tempo", "instrument", "register"), INVALID)
    pitch, *strengths = np.median(notes, 0)
    return {
        "tempo": name_tempo(np.diff(onsets) / RATE),
        "instrument": name_instrument(strengths),
        "register": _within(REGISTERS, pitch),
    }


def find_onsets(samples: Array) -> list[int]:
    """Samples (n,) → where notes begin, samples."""
    if len(samples) < RATE // 2:
        return []
    loudness = np.sqrt(spectra(samples, WINDOW, HOP))
    rises = np.diff(np.log1p(COMPRESSION * loudness / max(loudness.max(), 1e-9)), axis=0).clip(0).sum(1)
    edge = WINDOW // HOP  # where the sound itself begins and ends
    rises[:edge] = rises[-edge:] = 0
    reach = round(LEAST_INTERVAL * RATE / HOP)
    near = np.lib.stride_tricks.sliding_window_view(np.pad(rises, reach), 2 * reach + 1).max(1)
    found = np.flatnonzero((rises == near) & (rises > MIN_RISE * max(rises.max(), 1e-9)))
    return [int(frame + 1) * HOP for frame in found]


def partials(note: Array) -> tuple[float, ...]:
    """Samples of a note → its fundamental in Hz and the powers of PARTIALS beside it in dB."""
    middle = note[len(note) // 10 : RATE // 4]
    power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), RATE)) ** 2 + 1e-12  # a bin is 1 Hz
    power[0] = 0
    peak = (power[1:-1] >= power[:-2]) & (power[1:-1] > power[2:]) & (power[1:-1] >= FADED * power.max())
    pitch = 1 + int(peak.argmax())

    def strength(ratio: float) -> float:
        low, high = round((ratio - 0.06) * pitch), round((ratio + 0.06) * pitch)
        return float(10 * np.log10(power[low : high + 1].max() / power[pitch]))

    return float(pitch), *map(strength, PARTIALS)


def name_tempo(intervals: Array) -> str:
    """Seconds between onsets → the tempo, or `INVALID` if they are uneven or of none."""
    beat = np.median(intervals)
    uneven = np.abs(intervals / beat - 1).max() > MAX_SWING
    return INVALID if uneven else _within(BEATS, float(1 / beat))


def name_instrument(strengths: Sequence[float]) -> str:
    """Powers of PARTIALS in dB → the instrument of the strongest, or `INVALID` if none leads."""
    second, first = np.sort(strengths)[-2:]
    leads = first >= MIN_PARTIAL_DB and first - second >= MIN_LEAD_DB
    return ("pluck", "bell", "square")[int(np.argmax(strengths))] if leads else INVALID


def _within(ranges: Mapping[str, tuple[float, float]], value: float) -> str:
    return next((name for name, (low, high) in ranges.items() if low <= value <= high), INVALID)
