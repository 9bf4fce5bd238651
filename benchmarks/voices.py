"""Judges of voices that share nothing with the world's parsers: a classifier, and a distance of timbres."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modaloom.modalities.audio_value import Audio
from modaloom.spectral import LogMel

Array = NDArray[np.float64]

RATE, CEPSTRA = 16_000, 13
DECIBELS = 50.0
"""Of a step of 1 of a log-mel."""
RANGE_DB = 50.0
"""Between the loudest band of a sound and silence."""
LOUD_DB = 40.0
"""Below the loudest frame, what is no speech."""
EVERY = 2
"""Frames of 10 ms a frame that is aligned."""


def bands(sound: Audio) -> Array:
    """Log-mel (T, 80) in dB of the loud frames, at most RANGE_DB below the loudest."""
    log_mel = LogMel(RATE).encode(torch.from_numpy(sound.samples)).mean(0).T.double().numpy()
    level = log_mel.max(1)
    found: Array = DECIBELS * log_mel[level > level.max() - LOUD_DB / DECIBELS]
    return np.maximum(found, found.max() - RANGE_DB)


def timbre(sound: Audio) -> Array:
    """(160,): means and standard deviations of the bands, relative to the loudness."""
    heard = bands(sound)
    heard = heard - heard.mean()
    return np.concatenate([heard.mean(0), heard.std(0)])


def voice_classifier(
    sounds: Sequence[Audio], voices: Sequence[str]
) -> Callable[[Sequence[Audio]], Sequence[str]]:
    """Multinomial regression of the voice on `timbre`, fitted to real sounds: sounds → voices."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    classifier.fit([timbre(sound) for sound in sounds], voices)
    return lambda heard: classifier.predict([timbre(sound) for sound in heard])


def mel_cepstral_distance(one: Audio, other: Audio) -> float:
    """dB, mean over the best alignment (Kubichek 1993); the level, cepstrum 0, does not count."""
    far = np.sqrt(((_cepstra(one)[:, None] - _cepstra(other)) ** 2).sum(-1)).tolist()
    cost, length = _aligned(far)
    return 10 / math.log(10) * math.sqrt(2) * cost / length


def _cepstra(sound: Audio) -> Array:
    """(T, CEPSTRA): c of ln |S| = c_0 + Σ c_k cos kω."""
    nepers = bands(sound)[::EVERY] * (math.log(10) / 20)
    n = nepers.shape[1]
    angles = np.pi * np.arange(1, CEPSTRA + 1) * (np.arange(n)[:, None] + 0.5) / n
    cepstra: Array = nepers @ np.cos(angles) * (2 / n)
    return cepstra


def _aligned(far: Sequence[Sequence[float]]) -> tuple[float, int]:
    """Dynamic time warping: distances (T, U) → the least sum along a path, and the path's length."""
    above: list[tuple[float, int]] = []
    for row in far:
        here: list[tuple[float, int]] = []
        for j, distance in enumerate(row):
            before = [*above[max(0, j - 1) : j + 1], *here[-1:]]
            cost, length = min(before) if before else (0.0, 0)
            here.append((cost + distance, length + 1))
        above = here
    return above[-1]
