"""The contract of a judge: what can be asked of some streams, and how good answers are."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from modaloom.core.types import Sample
from modaloom.evaluation.estimate import Estimate
from modaloom.evaluation.rows import Direction
from modaloom.modalities.base import Value

Answer = Mapping[str, Value]
"""Wanted stream → value."""

Estimates = Mapping[str, Estimate]
"""Metric → figure."""


class Judge(ABC):
    """Scores answers, whoever gave them. Higher is better, but for metrics in `headline.LOWER`."""

    parsed: ClassVar[bool]
    """Whether answers are checked against facts. If not, the model's own bits are asked, too."""

    @abstractmethod
    def related(self, given: Sequence[str], want: str) -> bool:
        """Whether the given streams say something of the wanted one that can be checked."""

    @abstractmethod
    def joint(self, streams: Sequence[str]) -> tuple[str, ...]:
        """The streams whose agreement, drawn together, can be checked; none if it cannot."""

    @abstractmethod
    def free(self, direction: Direction) -> tuple[str, ...]:
        """What the given streams leave open in the wanted one: two draws should differ there."""

    @abstractmethod
    def score(self, direction: Direction, answers: Sequence[Answer], samples: Sequence[Sample]) -> Estimates:
        """Figures of the answers; `samples` hold the truths."""

    @abstractmethod
    def floor(
        self, direction: Direction, train: Sequence[Sample], samples: Sequence[Sample], typical: Answer
    ) -> dict[str, float]:
        """Metric → what is scored without looking at what is given; `typical` is the commonest answer."""

    @abstractmethod
    def diversity(self, direction: Direction, first: Sequence[Answer], second: Sequence[Answer]) -> Estimates:
        """How much two draws for the same givens differ in what is free; 1 is as much as data."""
