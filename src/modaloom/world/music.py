"""Stream `music`: two seconds of notes on the beat, by additive synthesis."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from modaloom.modalities.audio_value import Audio
from modaloom.world.record import TEMPOS
from modaloom.world.scene import Scene
from modaloom.world.sound import RATE, Samples, levelled

SECONDS = 2.0
BEAT = "music"
"""Purpose of the random numbers of which the first is the beat's phase."""
ROOTS: Mapping[str, tuple[int, int]] = {"low": (45, 51), "high": (69, 75)}
"""Lowest root and the one past the highest, MIDI notes."""
SCALE = (0, 2, 4, 7, 9)
"""Major pentatonic, semitones above the root."""
FADE = 0.008
"""Seconds in which a note begins and ends."""


def music(scene: Scene) -> Audio:
    """Samples of SECONDS; the beat's phase, the notes and the level are nuisance."""
    rng, period = scene.random(BEAT), 1 / TEMPOS[scene.tempo]
    starts = beats(period, rng)
    semitones = rng.integers(*ROOTS[scene.register]) + rng.choice(SCALE, len(starts))
    track = np.zeros(round(SECONDS * RATE))
    for start, frequency in zip(starts, 440 * 2 ** ((semitones - 69) / 12)):
        first, last = (round(np.clip(at, 0, SECONDS) * RATE) for at in (start, start + period))
        track[first:last] = _note(scene.instrument, frequency, np.arange(first, last) / RATE - start, period)
    return levelled(track, rng)


def beats(period: float, rng: np.random.Generator) -> Samples:
    """When beats begin, in seconds: the first before 0. Their phase is the first random number of `BEAT`."""
    return np.arange(rng.uniform(-period, 0), SECONDS, period)


def _note(instrument: str, frequency: float, time: Samples, period: float) -> Samples:
    """Samples of a note at these seconds after its start; it ends with the period."""
    ratios, amplitudes, decays = INSTRUMENTS[instrument]
    heard = ratios * frequency < RATE / 2
    waves = np.sin(2 * np.pi * frequency * ratios[heard, None] * time)
    tones = np.exp(-decays[heard, None] * time) * waves
    edges = np.clip(np.minimum(time, period - time) / FADE, 0, 1)
    note: Samples = edges * (amplitudes[heard] @ tones)
    return note


Partials = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Frequencies relative to the lowest, amplitudes, decays (1/s)."""

_MANY, _ODD = np.arange(1.0, 21), np.arange(1.0, 32, 2)
INSTRUMENTS: Mapping[str, Partials] = {
    "bell": (np.array([1, 2.756, 5.404, 8.933]), np.array([1, 0.6, 0.35, 0.2]), np.array([2.5, 4, 7, 11])),
    "pluck": (_MANY, np.sin(0.3 * np.pi * _MANY) / _MANY, 3.0 + 0.8 * _MANY),
    "square": (_ODD, 1 / _ODD, np.full(len(_ODD), 2.0)),
}
"""A free bar and a string plucked at 0.3 of its length (Fletcher & Rossing 1998, §2.16 and §2.4); a square
wave that fades, so that the beginning of a note is told from the end of another."""
