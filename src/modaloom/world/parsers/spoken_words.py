"""Speech → the slots of the short caption. Shares no code with the renderer.

The phrases of the closed vocabulary, each alone, in thirteen voices of training, are the templates that
dynamic time warping finds in the sound.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from modaloom.world.espeak import speaker
from modaloom.world.parsers.connected import ConnectedWords, Costs, Template, Word
from modaloom.world.parsers.hearing import CEPSTRA, LEVEL, RANGE_DB, Array, cepstra, recorded
from modaloom.world.parsers.words import COLOURS, PLACES, SHAPES, SIZES
from modaloom.world.scene import INVALID

SAID: Mapping[str, Mapping[str, str]] = {
    "shape": SHAPES,
    "colour": COLOURS,
    "size": SIZES,
    "position": PLACES,
}
"""Slot → phrase → value."""
SPEAKERS = (
    *("en-us", "en-us+f1", "en-us+robert", "en-us+antonio", "en+f2", "en+Hugo", "en+boris"),
    *("en-029+m3", "en-029+f3"),
    *("en-gb-scotland", "en-gb-scotland+grandma", "en-gb-x-rp+m7", "en-gb-x-rp+Storm"),
)
"""Voices of the templates."""
WORD_RATE = 220
"""Of the templates, words a minute."""
COSTS = Costs(word=30, silence=10, amiss=80)
LOUD_DB = 24.0
"""Below the loudest frame, what is no silence."""
WEIGHTS = np.append(0.3, np.ones(CEPSTRA - 1))
"""Of cepstra; the level is the first."""
SLOPE_WEIGHT = 4.0
"""Of a cepstrum's slope, per frame."""
MIN_WORDS, MAX_DISTANCE = 3, 28.0
"""Of a sound that is a sentence; the distance is the mean of its words'."""


def name_words(samples: Array, top: float) -> dict[str, str]:
    """Every slot of SAID → value or `INVALID`, for samples (n,) that are heard up to `top` Hz."""
    found = transcribe(samples, top)
    if len(found) < MIN_WORDS or np.mean([one.distance for one in found]) > MAX_DISTANCE:
        return dict.fromkeys(SAID, INVALID)
    said = {slot: [means[w.phrase] for w in found if w.phrase in means] for slot, means in SAID.items()}
    return {slot: values[0] if len(values) == 1 else INVALID for slot, values in said.items()}


def transcribe(samples: Array, top: float) -> list[Word]:
    """Samples (n,) → the phrases in them."""
    found = cepstra(samples, top)
    mean = found[_loud(found)].mean(0)
    silence = WEIGHTS * (np.append(-LEVEL * RANGE_DB, np.zeros(CEPSTRA - 1)) - mean)
    return vocabulary(top).find(_features(found, mean), np.append(silence, np.zeros(CEPSTRA)))


@cache
def vocabulary(top: float) -> ConnectedWords:
    """The templates of all phrases in all SPEAKERS' voices."""
    return ConnectedWords([one for voice in SPEAKERS for one in _templates(voice, top)], COSTS)


def _templates(voice: str, top: float) -> list[Template]:
    phrases = [(kind, phrase) for kind, means in enumerate(SAID.values()) for phrase in means]
    with speaker(voice) as say:
        spoken = [cepstra(recorded(say(phrase, WORD_RATE)), top) for _, phrase in phrases]
    mean = np.concatenate([found[_loud(found)] for found in spoken]).mean(0)
    return [Template(phrase, kind, _features(c, mean)) for (kind, phrase), c in zip(phrases, spoken)]


def _loud(found: Array) -> Array:
    """bool (T,)."""
    loud: Array = found[:, 0] > found[:, 0].max() - LEVEL * LOUD_DB
    return loud


def _features(found: Array, mean: Array) -> Array:
    """Cepstra (T, C) → less their mean, and their slopes (T', 2 C), from the first loud frame to the last."""
    loud, centred = np.flatnonzero(_loud(found)), WEIGHTS * (found - mean)
    around = np.pad(centred, ((1, 1), (0, 0)), mode="edge")
    slopes = SLOPE_WEIGHT / 4 * (around[2:] - around[:-2])
    return np.hstack([centred, slopes])[loud[0] : loud[-1] + 1]
