"""Streams `speech`, `speech.other` and `speech.reference`: the short caption, the same in another voice, and
another sentence, spoken by espeak-ng.

How long a sound lasts is drawn first, and the rate of speech follows from it: the length tells nothing of the
scene.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from modaloom.modalities.audio_rate import resampled
from modaloom.modalities.audio_value import Audio
from modaloom.world.espeak import HERTZ, Say, speaker
from modaloom.world.phrasebook import Paraphrases, Phrasebook
from modaloom.world.scene import FACTORS, Scene
from modaloom.world.sound import RATE, levelled
from modaloom.world.splits import VOICES

SECONDS = (1.8, 2.4)
"""Shortest and longest sound."""
PITCHES = (43, 58)
"""Lowest pitch and the one past the highest, of 0–99."""
MARGIN = 0.03
"""Least seconds of silence before and after."""
NORMAL_RATE = 200
"""Words a minute at which a sentence is timed."""
SILENCE = 0.01
"""Highest level of silence, relative to the peak."""

SHORT = Phrasebook(
    "speech",
    Paraphrases(
        seen=(
            "{size} {colour} {shape}, {position}",
            "{colour} {size} {shape}, {position}",
            "{position}, {size} {colour} {shape}",
            "{position}, {colour} {shape} {size}",
            "{shape} {size} {colour}, {position}",
            "{size} {shape}, {position} {colour}",
        ),
        novel=(
            "{position}, {shape} {colour} {size}",
            "{colour} {shape} {size}, {position}",
            "{position}, {size} {shape} {colour}",
        ),
    ),
    Paraphrases(seen=("",), novel=("",)),
    {"size": {"small": "small|tiny", "large": "large|huge"}},
)
"""The caption without its small words, and without motion."""

_WHO = ("my uncle", "the doctor", "our neighbour", "a young farmer", "the old captain", "his daughter")
_DID = ("wanted", "found", "painted", "carried", "borrowed", "forgot")
_WHAT = (
    "some wooden boats",
    "a pair of shoes",
    "the fresh bread",
    "an empty house",
    "nine books",
    "guitars",
)
_SAID = [(f"{_WHO[i]} {_DID[j]} {_WHAT[k]}", (i + j + k) % 6 == 0) for i, j, k in product(range(6), repeat=3)]
OTHER = Paraphrases(
    seen=tuple(text for text, novel in _SAID if not novel),
    novel=tuple(text for text, novel in _SAID if novel),
)
"""Sentences without a word of a caption; all pairs of their parts are in both."""


def speech(scene: Scene) -> Audio:
    """Size, colour, shape and position in the scene's voice; order of words, rate and pitch are nuisance."""
    return _spoken(SHORT.render(scene), scene.voice, scene.random("speech.delivery"))


def other(scene: Scene) -> Audio:
    """The sentence of `speech`, of the same length, in a voice that tells nothing of the scene's.

    So it is the scene's own now and then: of the voices of training, one time in 16.
    """
    voices = [voice for voice in FACTORS["voice"] if (voice in VOICES) == scene.novel_words]
    voice = str(scene.random("speech.other").choice(voices))
    return _spoken(SHORT.render(scene), voice, scene.random("speech.delivery"))


def reference(scene: Scene) -> Audio:
    """A sentence that tells nothing of the scene but its voice."""
    rng = scene.random("speech.reference")
    return _spoken(OTHER.pick(rng, novel=scene.novel_words), scene.voice, rng)


def _spoken(text: str, voice: str, rng: np.random.Generator) -> Audio:
    """A sound of a random length, with the text at a random place in it."""
    length, pitch = round(rng.uniform(*SECONDS) * RATE), int(rng.integers(*PITCHES))
    margin = round(MARGIN * RATE)
    with speaker(voice, pitch=pitch) as say:
        said = _fitting(say, text, length - 2 * margin)
    before = margin + int(rng.integers(length - 2 * margin - len(said) + 1))
    return levelled(np.pad(said, (before, length - before - len(said))), rng)


def _fitting(say: Say, text: str, longest: int) -> NDArray[np.float32]:
    """The text without silence at its ends, at about the lowest rate at which it is no longer than that."""
    rate = NORMAL_RATE
    said = _voiced(say(text, rate))
    rate = round(rate * len(said) / longest)
    while len(said := _voiced(say(text, rate))) > longest:
        rate += 1 + rate // 50
    return said


def _voiced(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is not silence, at RATE."""
    loud = np.flatnonzero(np.abs(samples) > SILENCE * np.abs(samples).max())
    voiced: NDArray[np.float32] = resampled(samples[None, loud[0] : loud[-1] + 1], HERTZ, RATE)[0]
    return voiced
