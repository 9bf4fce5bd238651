"""Configuration of the demo: the synthetic world, and a run that trains on it in minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from modaloom.loom.config import CodeSamplingConfig, LoomRunConfig, tiny

LONG_MINUTES = 30.0
"""Minutes of training from which on the demo has `MOVING`, too."""
SOUNDS, CLIPS = ("speech", "music"), ("video",)
MOVING = (*SOUNDS, *CLIPS)
"""Streams that go on in time."""
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

    @property
    def fixed(self) -> dict[str, str]:
        """Factor → its value in every scene: nothing moves where no clip shows it."""
        return {} if {*CLIPS}.intersection(self.streams) else {"motion": "still"}

    def streams_in(self, minutes: float) -> tuple[str, ...]:
        """The streams that a demo of so many minutes has."""
        return (*self.streams, *MOVING) if minutes >= LONG_MINUTES else self.streams


def demo(streams: Sequence[str] = DemoWorld.streams) -> LoomRunConfig:
    """Returns the tiny preset on the demo's streams; the question is never a target.

    The world's images are shapes of one colour on another. Global codes encode their tint separately from
    their outline, since held-out images combine the two in ways that do not occur in training. With sounds
    or clips, the first codes of all positions are drawn before the second ones, so that more words are right,
    and long streams are the target more often, since they take longest to learn.
    """
    run = tiny()
    mixture = replace(run.loom.mixture, wanted=tuple(name for name in streams if name != "question"))
    sampling = CodeSamplingConfig(temperature=0.9, choice_temperature=0.25)
    tokenizers: dict[str, dict[str, Any]] = {"image": {"global_codes": 1}}
    if {*MOVING}.intersection(streams):
        tokenizers |= {"audio": dict(SOUND_SETTINGS), "video": dict(VIDEO_SETTINGS)}
        mixture = replace(mixture, target_power=0.25)
        sampling = replace(sampling, sampler="coarse_to_fine")
    loom = replace(run.loom, mixture=mixture, sampling=sampling)
    return replace(run, data=replace(run.data, streams=tuple(streams)), tokenizers=tokenizers, loom=loom)
