"""How well a clip and a sound, of which one or both are predicted, keep one beat."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import torch

from modaloom.core.types import Sample
from modaloom.evaluation.estimate import Proportion
from modaloom.evaluation.judge import Answer, Estimates
from modaloom.evaluation.rows import Direction
from modaloom.modalities.base import Value
from modaloom.world.on_beat import Beat

F1 = "onsets.f1"
MAX_VALUES = 200
"""Training values among which the median rate is found."""


@dataclass(frozen=True)
class BeatMetric:
    """The metric `onsets.f1` of directions with both streams of a beat: pulses within ± 1 frame of onsets."""

    beat: Beat | None
    _constant: dict[str, Value] = field(default_factory=dict)

    def score(self, direction: Direction, answers: Sequence[Answer], samples: Sequence[Sample]) -> Estimates:
        """The mean over the samples, whose inputs go with the answers."""
        beat = self.beat
        if beat is None or not self._asks(direction):
            return {}
        pairs = ({**sample.streams, **answer} for sample, answer in zip(samples, answers, strict=True))
        return {F1: Proportion(torch.tensor([beat.follows(pair) for pair in pairs]))}

    def floor(
        self, direction: Direction, train: Sequence[Sample], samples: Sequence[Sample]
    ) -> dict[str, float]:
        """That of a constant rate, whatever the inputs."""
        if not self._asks(direction):
            return {}
        (want,) = direction.want
        answers = [{want: self.constant(want, train)}] * len(samples)
        return {name: one.value for name, one in self.score(direction, answers, samples).items()}

    def constant(self, stream: str, train: Sequence[Sample]) -> Value:
        """The training value of the median rate of a stream of the beat."""
        assert self.beat is not None
        if stream not in self._constant:
            values = (sample.streams[stream] for sample in train if stream in sample.streams)
            self._constant[stream] = self.beat.typical(stream, [*islice(values, MAX_VALUES)])
        return self._constant[stream]

    def _asks(self, direction: Direction) -> bool:
        """Whether the direction has both streams, one of them as a target."""
        both = {self.beat.clip, self.beat.sound} if self.beat else set()
        return both <= {*direction.streams} and not both.isdisjoint(direction.want)
