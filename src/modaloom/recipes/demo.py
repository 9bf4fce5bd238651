"""Configuration of the demo: the synthetic world, and a run that trains on it in minutes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from modaloom.loom.config import CodeSamplingConfig, LoomRunConfig, tiny


@dataclass(frozen=True)
class DemoWorld:
    """Size and streams of the demo's world."""

    samples: int = 8000
    held_out: int = 500
    streams: tuple[str, ...] = ("image", "caption", "question", "answer")
    fixed: Mapping[str, str] = field(default_factory=lambda: {"motion": "still"})
    """No stream of the demo shows motion."""


def demo() -> LoomRunConfig:
    """Returns the tiny preset on the demo's four streams; the question is never a target.

    The world's images are shapes of one colour on another. Global codes encode their tint separately from
    their outline, since held-out images combine the two in ways that do not occur in training.
    """
    run = tiny()
    mixture = replace(run.loom.mixture, wanted=("image", "caption", "answer"))
    loom = replace(
        run.loom, mixture=mixture, sampling=CodeSamplingConfig(temperature=0.9, choice_temperature=0.25)
    )
    data, tokenizers = replace(run.data, streams=DemoWorld().streams), {"image": {"global_codes": 1}}
    return replace(run, data=data, tokenizers=tokenizers, loom=loom)
