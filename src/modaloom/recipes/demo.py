"""Configuration of the demo: the synthetic world, and a run that trains on it in minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from modaloom.loom.config import CodeSamplingConfig, LoomRunConfig, tiny

SOUND_MINUTES = 30.0
"""Minutes of training from which on the demo has `SOUNDS`, too."""
SOUNDS = ("speech", "music")
SOUND_SETTINGS: Mapping[str, Any] = {"strides": [8], "num_quantizers": 4}
"""Of the tokenizers of sounds: a closed vocabulary needs a quarter of the default's codes, of which the Loom
then has fewer to learn."""
VIDEO_SETTINGS: Mapping[str, Any] = {
    "num_quantizers": 4,
    "widths": [16, 32, 64],
    "variable_length": False,
    "exact_length": False,
    "crop_size": [],
}
"""Of the tokenizers of the world's clips, which are all as long."""


@dataclass(frozen=True)
class DemoWorld:
    """Size and streams of the demo's world."""

    samples: int = 8000
    held_out: int = 500
    streams: tuple[str, ...] = ("image", "caption", "question", "answer")
    fixed: Mapping[str, str] = field(default_factory=lambda: {"motion": "still"})
    """No stream of the demo shows motion."""

    def streams_in(self, minutes: float) -> tuple[str, ...]:
        """The streams that a demo of so many minutes has."""
        return (*self.streams, *SOUNDS) if minutes >= SOUND_MINUTES else self.streams


def demo(streams: Sequence[str] = DemoWorld.streams) -> LoomRunConfig:
    """Returns the tiny preset on the demo's streams; the question is never a target.

    The world's images are shapes of one colour on another. Global codes encode their tint separately from
    their outline, since held-out images combine the two in ways that do not occur in training. With sounds,
    the first codes of all positions are drawn before the second ones: more words are right.
    """
    run = tiny()
    mixture = replace(run.loom.mixture, wanted=tuple(name for name in streams if name != "question"))
    sampling = CodeSamplingConfig(temperature=0.9, choice_temperature=0.25)
    tokenizers: dict[str, dict[str, Any]] = {"image": {"global_codes": 1}}
    if {*SOUNDS}.intersection(streams):
        tokenizers["audio"] = dict(SOUND_SETTINGS)
        sampling = replace(sampling, sampler="coarse_to_fine")
    loom = replace(run.loom, mixture=mixture, sampling=sampling)
    return replace(run, data=replace(run.data, streams=tuple(streams)), tokenizers=tokenizers, loom=loom)
