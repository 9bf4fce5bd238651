"""Speech → the voice, by vector quantization (Soong et al. 1985, doi 10.1109/ICASSP.1985.1168412).

A voice is a codebook of its cepstra; the one with the least distortion speaks, whatever it says. Shares no
code with the renderer.
"""

from functools import cache

import numpy as np

from modaloom.world.espeak import speaker
from modaloom.world.parsers.hearing import LEVEL, NARROW, Array, cepstra, recorded
from modaloom.world.scene import FACTORS, INVALID

SENTENCES = (
    "the quick brown fox jumps over a lazy dog",
    "she had your dark suit in greasy wash water all year",
    "we heard the joyful noise of three good girls outside",
    "a small red circle at the top left, a huge orange square at the middle right",
    "a tiny green triangle at the bottom centre, a large blue, purple, yellow star",
)
PITCHES = (44, 50, 56)
WORD_RATE = 200
LOUD_DB = 15.0
"""Below the loudest frame, what still tells the voice."""
CODES, ROUNDS = 64, 10
"""Of a voice's codebook, and of k-means."""
MAX_DISTORTION, MIN_MOVEMENT = 180.0, 4.5
"""Of a known voice; the movement is the mean standard deviation of its cepstra."""


def name_voice(samples: Array) -> str:
    """Samples (n,) → a voice of FACTORS, or `INVALID` if none is near."""
    frames = _timbre(samples)
    near = distortions(frames)
    known = near.min() <= MAX_DISTORTION and frames.std(0).mean() >= MIN_MOVEMENT
    return FACTORS["voice"][int(near.argmin())] if known else INVALID


def distortions(frames: Array) -> Array:
    """Mean squared distances (V,) of frames (T, C - 1) from the nearest codes of each voice."""
    codes = codebooks()
    squares = (frames**2).sum(1)[:, None] + (codes**2).sum(1) - 2 * frames @ codes.T
    found: Array = squares.reshape(len(frames), -1, CODES).min(2).mean(0)
    return found


@cache
def codebooks() -> Array:
    """Codes (V · CODES, C) of all voices, in the order of FACTORS."""
    return np.concatenate([_k_means(_enrolled(voice)) for voice in FACTORS["voice"]])


def _enrolled(voice: str) -> Array:
    frames = []
    for pitch in PITCHES:
        with speaker(voice, pitch=pitch) as say:
            frames += [_timbre(recorded(say(text, WORD_RATE))) for text in SENTENCES]
    return np.concatenate(frames)


def _timbre(samples: Array) -> Array:
    """Cepstra (T, C - 1) of loud frames, without the level."""
    found = cepstra(samples, NARROW)
    loud = found[:, 0] > found[:, 0].max() - LEVEL * LOUD_DB
    timbre: Array = found[loud, 1:]
    return timbre


def _k_means(frames: Array) -> Array:
    """Lloyd's algorithm from frames at equal distances in time."""
    codes: Array = frames[np.linspace(0, len(frames) - 1, CODES).astype(int)]
    for _ in range(ROUNDS):
        nearest = ((codes**2).sum(1) - 2 * frames @ codes.T).argmin(1)
        members = nearest == np.arange(CODES)[:, None]
        sums, counts = members @ frames, members.sum(1)[:, None]
        codes = np.where(counts, sums / np.maximum(counts, 1), codes)
    return codes
