"""The built-in world: procedural paired data with exact ground truth.

A `Scene` of discrete factors is rendered by every stream of STREAMS; what is generated is parsed back into
factors by PARSERS, which share no code with the renderers. A new stream is a file with its renderer, one with
its parser, and a line in each table. One that sounds or moves finds its factors (motion, tempo, instrument,
register, voice) in the scene, and names in `determines` those that it fixes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modaloom.world.brief import BRIEF
from modaloom.world.chinese import CHINESE, CLASSICAL
from modaloom.world.image import image
from modaloom.world.record import record
from modaloom.world.scene import FACTORS, VISIBLE, Scene
from modaloom.world.typos import noisy
from modaloom.world.words import answer, caption, question


@dataclass(frozen=True)
class StreamRule:
    """How a stream shows a scene."""

    modality: str
    """Its entry in MODALITIES."""
    render: Callable[[Scene], Any]
    """Scene → value of that modality."""
    determines: tuple[str, ...]
    """Factors that the stream fixes and a generated one must match; it leaves the others free."""


SAID = ("shape", "colour", "size", "position", "motion")
"""What every caption says."""

STREAMS: Mapping[str, StreamRule] = {
    "image": StreamRule("image", image, determines=VISIBLE),
    "caption": StreamRule("text", caption, determines=SAID),
    "question": StreamRule("text", question, determines=("asked",)),
    "answer": StreamRule("text", answer, determines=("answer",)),
    "record": StreamRule("record", record, determines=(*VISIBLE, "speed", "tempo")),
    "caption.zh": StreamRule("text", CHINESE.render, determines=SAID),
    "caption.classical": StreamRule("text", CLASSICAL.render, determines=SAID),
    "caption.brief": StreamRule("text", BRIEF.render, determines=SAID),
    "caption.noisy": StreamRule("text", noisy, determines=SAID),
}
"""`asked` is the factor that the question is about, `answer` that factor's value, `speed` a part of the
motion; see `Scene.facts`."""

__all__ = ["FACTORS", "STREAMS", "VISIBLE", "Scene", "StreamRule"]
