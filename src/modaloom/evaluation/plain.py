"""The judge of any data: answers are compared with the truth, as their modality compares."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Self

import torch

from modaloom.core.types import Sample
from modaloom.evaluation.estimate import Proportion, average
from modaloom.evaluation.judge import Answer, Estimates, Judge
from modaloom.evaluation.rows import Direction
from modaloom.modalities import MODALITIES, DataSpec, Value

PROPORTION_METRICS = ("exact", "present")
"""Metrics of samples that lie between 0 and 1, with all that follows a dot."""
MIN_REPEATED = 0.9
"""Share of the training values that occur twice or more from which on a whole value can be asked for."""


class PlainJudge(Judge):
    """The modality's figures: `exact`, `char_error`, `psnr`, …; each over the samples that have it.

    `exact` is left out of streams whose values hardly ever repeat, such as free text: nobody could be right.
    """

    parsed = False

    def __init__(
        self,
        modality_of: Mapping[str, str],
        specs: Mapping[str, DataSpec],
        rare: frozenset[str] = frozenset(),
    ) -> None:
        self.modality_of, self.specs, self.rare = modality_of, specs, rare

    @classmethod
    def fit(
        cls, train: Sequence[Sample], modality_of: Mapping[str, str], specs: Mapping[str, DataSpec]
    ) -> Self:
        """In the forms that were learned: the sizes of signals and the units of numbers are the run's own,
        whatever the samples. Training values tell which streams repeat; those of others may be left out."""
        columns = {
            name: [s.streams[name] for s in train if name in s.streams]
            for name in specs.keys() & modality_of.keys()
            if compared_whole(modality_of[name])
        }
        rare = {name for name, values in columns.items() if values and _repeats(values) < MIN_REPEATED}
        return cls(modality_of, specs, frozenset(rare))

    def related(self, given: Sequence[str], want: str) -> bool:
        return want in self.specs

    def joint(self, streams: Sequence[str]) -> tuple[str, ...]:
        return ()

    def free(self, direction: Direction) -> tuple[str, ...]:
        return ()

    def score(self, direction: Direction, answers: Sequence[Answer], samples: Sequence[Sample]) -> Estimates:
        if not direction.given:
            return {}
        (want,) = direction.want
        compare, spec = MODALITIES[self.modality_of[want]].compare, self.specs[want]
        lines = [
            compare(answer[want], s.streams[want], spec) for answer, s in zip(answers, samples, strict=True)
        ]
        metrics = dict.fromkeys(metric for line in lines for metric in line)
        columns = {metric: torch.tensor([line.get(metric, math.nan) for line in lines]) for metric in metrics}
        return {
            metric: Proportion(column) if metric.split(".")[0] in PROPORTION_METRICS else average(column)
            for metric, column in columns.items()
            if not (metric == "exact" and want in self.rare)
        }

    def floor(
        self, direction: Direction, train: Sequence[Sample], samples: Sequence[Sample], typical: Answer
    ) -> dict[str, float]:
        scored = self.score(direction, [typical] * len(samples), samples)
        return {metric: estimate.value for metric, estimate in scored.items()}

    def diversity(self, direction: Direction, first: Sequence[Answer], second: Sequence[Answer]) -> Estimates:
        return {}


def compared_whole(modality: str) -> bool:
    """Whether values are the same or not, and neither compared place by place nor by distances."""
    codec = MODALITIES[modality].codec
    return codec.whole and not codec.continuous


def _repeats(values: Sequence[Value]) -> float:
    counts = Counter(map(repr, values))
    return sum(count for count in counts.values() if count > 1) / len(values)
