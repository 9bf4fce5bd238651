"""Streams `caption`, `question` and `answer`: English, lower case.

Every value of a factor takes the same number of words in every paraphrase, so that only the paraphrase sets a
caption's length in words.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from modaloom.world.scene import Scene

CAPTIONS: tuple[str, ...] = (
    "a {size} {colour} {shape} at the {position}",
    "there is a {size} {colour} {shape} in the {position}",
    "the {position} holds a {size} {colour} {shape}",
    "in the {position} sits a {size} {shape} that is {colour}",
    "a {shape} at the {position}, {size} and {colour}",
    "{position}: a {size} {shape} in {colour}",
)
NOVEL_CAPTIONS: tuple[str, ...] = (
    "at the {position} there is a {size} {colour} {shape}",
    "in the {position} a {size} {shape} in {colour}",
    "a {size} {colour} {shape} sits in the {position}",
)
"""Held out of training: known words in new orders."""

SYNONYMS: Mapping[str, tuple[str, ...]] = {"small": ("small", "tiny"), "large": ("large", "huge")}

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "shape": ("which shape is it?", "what is its shape?", "what shape is shown?"),
    "colour": ("what colour is it?", "what is its colour?", "which colour does it have?"),
    "size": ("how large is it?", "what is its size?", "is it small or large?"),
    "position": ("where is it?", "what is its position?", "where does it sit?"),
    "background": (
        "what is the background?",
        "is the background dark or light?",
        "how bright is the background?",
    ),
}


def caption(scene: Scene) -> str:
    """Shape, colour, size and position in at most 12 words."""
    rng = scene.random("caption")
    template = pick(rng, NOVEL_CAPTIONS if scene.novel_words else CAPTIONS)
    return template.format_map(scene.factors | {"size": pick(rng, SYNONYMS[scene.size])})


def question(scene: Scene) -> str:
    """One question about the factor `scene.asked`."""
    return pick(scene.random("question"), QUESTIONS[scene.asked])


def answer(scene: Scene) -> str:
    """The asked factor's value, nothing else."""
    return scene.facts["answer"]


def pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    """One of the options, uniformly."""
    return options[int(rng.integers(len(options)))]
