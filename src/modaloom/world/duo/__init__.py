"""The world of two objects and a relation."""

from collections.abc import Mapping

from modaloom.world.duo.image import image
from modaloom.world.duo.scene import FACTORS, Scene
from modaloom.world.duo.words import answer, caption, question
from modaloom.world.rule import StreamRule

SAID = tuple(name for name in FACTORS if name != "background")
"""The factors that a caption states."""

STREAMS: Mapping[str, StreamRule] = {
    "image": StreamRule("image", image, determines=tuple(FACTORS)),
    "caption": StreamRule("text", caption, determines=SAID),
    "question": StreamRule("text", question, determines=("asked", "about")),
    "answer": StreamRule("text", answer, determines=("answer",)),
}

__all__ = ["FACTORS", "SAID", "STREAMS", "Scene"]
