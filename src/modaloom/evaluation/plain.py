"""The judge of any data: answers are compared with the truth, as their modality compares."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Self

from modaloom.core.types import Sample
from modaloom.evaluation.judge import Answer, Judge
from modaloom.evaluation.rows import Direction
from modaloom.modalities import MODALITIES, Form, Limits


class PlainJudge(Judge):
    """The modality's figures: `exact`, `char_error`, `psnr`, …; each over the samples that have it."""

    def __init__(self, modality_of: Mapping[str, str], forms: Mapping[str, Form]) -> None:
        self.modality_of, self.forms = modality_of, forms

    @classmethod
    def fit(cls, train: Sequence[Sample], modality_of: Mapping[str, str]) -> Self:
        """Forms, the units of numbers among them, are measured on the training values."""
        columns = {name: [s.streams[name] for s in train if name in s.streams] for name in modality_of}
        forms = {
            name: MODALITIES[modality_of[name]].measure(values, Limits())
            for name, values in columns.items()
            if values
        }
        return cls(modality_of, forms)

    def related(self, given: Sequence[str], want: str) -> bool:
        return want in self.forms

    def joint(self, streams: Sequence[str]) -> tuple[str, ...]:
        return ()

    def free(self, direction: Direction) -> tuple[str, ...]:
        return ()

    def score(
        self, direction: Direction, answers: Sequence[Answer], samples: Sequence[Sample]
    ) -> dict[str, float]:
        (want,) = direction.want
        compare, form = MODALITIES[self.modality_of[want]].compare, self.forms[want]
        figures = defaultdict(list)
        for answer, sample in zip(answers, samples, strict=True):
            for metric, figure in compare(answer[want], sample.streams[want], form).items():
                figures[metric].append(figure)
        return {metric: fmean(values) for metric, values in figures.items()}

    def floor(
        self, direction: Direction, train: Sequence[Sample], samples: Sequence[Sample], typical: Answer
    ) -> dict[str, float]:
        return self.score(direction, [typical] * len(samples), samples)

    def diversity(
        self, direction: Direction, first: Sequence[Answer], second: Sequence[Answer]
    ) -> dict[str, float]:
        return {}
