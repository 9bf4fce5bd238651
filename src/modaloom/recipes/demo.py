"""The demo: the built-in world, and a run that learns it in minutes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from modaloom.loom.config import CodeSamplingConfig, LoomRunConfig, tiny


@dataclass(frozen=True)
class DemoWorld:
    """How much of the world is written for the demo."""

    samples: int = 8000
    held_out: int = 500
    streams: tuple[str, ...] = ("image", "caption", "question", "answer")
    fixed: Mapping[str, str] = field(default_factory=lambda: {"motion": "still"})
    """No stream of the demo shows motion."""


def demo() -> LoomRunConfig:
    """The tiny preset on the four streams of the demo; nobody wants a question.

    The world's pictures are shapes of one colour on another: outline and tint, which occur in pairs that
    training may not have shown.
    """
    run = tiny()
    mixture = replace(run.loom.mixture, wanted=("image", "caption", "answer"))
    loom = replace(
        run.loom, mixture=mixture, sampling=CodeSamplingConfig(temperature=0.9, choice_temperature=0.25)
    )
    data, tokenizers = replace(run.data, streams=DemoWorld().streams), {"image": {"global_codes": 1}}
    return replace(run, data=data, tokenizers=tokenizers, loom=loom)
