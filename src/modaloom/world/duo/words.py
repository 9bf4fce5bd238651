"""Streams `caption`, `question` and `answer` of two objects: English, lower case.

All values of a factor have the same number of words, so that the caption's length reveals no factor. The
caption starts with either object, then states its relation to the other one.
"""

from collections.abc import Mapping

import numpy as np

from modaloom.world.duo.ask import NUMBER, POSITION
from modaloom.world.duo.scene import INVERSE, Scene, Thing, beside
from modaloom.world.phrasebook import pick
from modaloom.world.scene import FACTORS

CAPTIONS: tuple[str, ...] = (
    "a {one} at the {position}, {relation} a {two}",
    "there is a {one} at the {position}, {relation} a {two}",
    "at the {position} sits a {one}, {relation} a {two}",
    "the {one} at the {position} is {relation} a {two}",
    "{position}: a {one} {relation} a {two}",
)
NOVEL_CAPTIONS: tuple[str, ...] = (
    "at the {position} there is a {one} {relation} a {two}",
    "there sits a {one} {relation} a {two}, at the {position}",
    "{position}: the {one} is {relation} a {two}",
)
"""Held out of training: known words in new orders. The position is always that of the object named first."""

PHRASES: Mapping[str, str] = {"above": "straight above", "below": "straight below"}
"""Relation of one word → phrase of two words."""

SYNONYMS: Mapping[str, tuple[str, ...]] = {"small": ("small", "tiny"), "large": ("large", "huge")}

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    NUMBER: (
        "how many {about} are there?",
        "what is the number of {about}?",
        "how many {about} does it show?",
    ),
    POSITION: (
        "where is the {about}?",
        "what is the position of the {about}?",
        "where does the {about} sit?",
    ),
}
RELATED: tuple[str, ...] = (
    "what is {relation} the {about}?",
    "which one is {relation} the {about}?",
    "which object is {relation} the {about}?",
)


def caption(scene: Scene) -> str:
    """Both objects, their relation and the position of the one named first, in at most 16 words."""
    rng = scene.random("caption")
    template = pick(rng, NOVEL_CAPTIONS if scene.novel_words else CAPTIONS)
    one, two, relation, position = scene.first, scene.second, scene.relation, scene.position
    if rng.integers(2):
        one, two, relation, position = two, one, INVERSE[relation], beside(relation, position)
    return template.format(
        one=_named(one, rng),
        two=_named(two, rng),
        relation=PHRASES.get(relation, relation),
        position=position,
    )


def _named(thing: Thing, rng: np.random.Generator) -> str:
    return f"{pick(rng, SYNONYMS[thing.size])} {thing.name}"


def question(scene: Scene) -> str:
    """The question of the scene, see `Scene.asked` and `Scene.about`."""
    about = scene.about
    if scene.asked == NUMBER:
        about = f"{about} objects" if about in FACTORS["colour"] else f"{about}s"
    template = pick(scene.random("question"), QUESTIONS.get(scene.asked, RELATED))
    return template.format(about=about, relation=PHRASES.get(scene.asked, scene.asked))


def answer(scene: Scene) -> str:
    """zero, one or two; a corner; or the colour and shape of an object."""
    return scene.answer
