"""Streams `caption`, `question` and `answer`: English, lower case."""

from collections.abc import Mapping

from modaloom.world.phrasebook import Paraphrases, Phrasebook, pick
from modaloom.world.scene import Scene

CAPTION = Phrasebook(
    "caption",
    Paraphrases(
        seen=(
            "a {size} {colour} {shape} at the {position}",
            "there is a {size} {colour} {shape} in the {position}",
            "the {position} holds a {size} {colour} {shape}",
            "in the {position} sits a {size} {shape} that is {colour}",
            "a {shape} at the {position}, {size} and {colour}",
            "{position}: a {size} {shape} in {colour}",
        ),
        novel=(
            "at the {position} there is a {size} {colour} {shape}",
            "in the {position} a {size} {shape} in {colour}",
            "a {size} {colour} {shape} sits in the {position}",
        ),
    ),
    Paraphrases(
        seen=(
            ", moving {direction} {speed}",
            ", {speed} moving {direction}",
            ", heading {direction} {speed}",
            ", {speed} heading {direction}",
            ", drifting {direction} {speed}",
            ", {speed} gliding {direction}",
        ),
        novel=(", {speed} drifting {direction}", ", gliding {direction} {speed}"),
    ),
    {
        "size": {"small": "small|tiny", "large": "large|huge"},
        "speed": {"slow": "slowly", "fast": "quickly"},
    },
)

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
    """Shape, colour, size and position in at most 12 words, and three more if the object moves."""
    return CAPTION.render(scene)


def question(scene: Scene) -> str:
    """A question about the factor `scene.asked`."""
    return pick(scene.random("question"), QUESTIONS[scene.asked])


def answer(scene: Scene) -> str:
    """The value of the factor `scene.asked`."""
    return scene.facts["answer"]
