"""Judge for any data: predictions are compared with the ground truth by the modality's metrics."""

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
"""Metrics in [0, 1], also with a suffix after a dot."""
MIN_REPEATED = 0.9
"""Minimum fraction of training values that occur at least twice for the metric `exact`."""


class PlainJudge(Judge):
    """The modality's metrics: `exact`, `char_error`, `psnr`, …; each over the samples that have it.

    `exact` is left out for streams whose values hardly ever repeat, such as free text, since it would be 0.

    Args:
        modality_of: stream → modality.
        specs: stream → spec, in which values are compared.
        rare: streams without `exact`.
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
        """Finds the streams whose training values hardly ever repeat.

        Args:
            train: training samples.
            modality_of: stream → modality.
            specs: stream → spec of the run, which fixes signal sizes and the units of numbers.
        """
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

    def alone(self, stream: str) -> bool:
        return False

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
    """Whether values are compared only by equality, neither by position nor by distance."""
    codec = MODALITIES[modality].codec
    return codec.whole and not codec.continuous


def _repeats(values: Sequence[Value]) -> float:
    counts = Counter(map(repr, values))
    return sum(count for count in counts.values() if count > 1) / len(values)
