"""The built-in world: procedural paired data with exact ground truth.

A `Scene` of discrete factors is rendered by every stream of STREAMS; what is generated is parsed back into
factors by PARSERS, which share no code with the renderers. A new stream is one file and one line in STREAMS.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modaloom.world.image import image
from modaloom.world.record import record
from modaloom.world.scene import FACTORS, Scene
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


STREAMS: Mapping[str, StreamRule] = {
    "image": StreamRule("image", image, determines=tuple(FACTORS)),
    "caption": StreamRule("text", caption, determines=("shape", "colour", "size", "position")),
    "question": StreamRule("text", question, determines=("asked",)),
    "answer": StreamRule("text", answer, determines=("answer",)),
    "record": StreamRule("record", record, determines=tuple(FACTORS)),
}
"""`asked` is the factor that the question is about, `answer` that factor's value; see `Scene.facts`."""

__all__ = ["FACTORS", "STREAMS", "Scene", "StreamRule"]
