"""Interface of a judge: which directions can be scored, and the metrics of predictions."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from modaloom.core.types import Sample
from modaloom.evaluation.estimate import Estimate
from modaloom.evaluation.rows import Direction
from modaloom.modalities.base import Value

Answer = Mapping[str, Value]
"""Target stream → predicted value."""

Estimates = Mapping[str, Estimate]
"""Metric → estimate."""


class Judge(ABC):
    """Scores predictions of any source. Higher is better, except for `headline.LOWER_IS_BETTER`."""

    parsed: ClassVar[bool]
    """Whether predictions are checked against facts. If not, the model's likelihoods are scored, too."""

    @abstractmethod
    def related(self, given: Sequence[str], want: str) -> bool:
        """Whether a prediction of the target from the inputs can be checked."""

    @abstractmethod
    def joint(self, streams: Sequence[str]) -> tuple[str, ...]:
        """Returns the streams whose agreement can be checked if they are generated jointly; may be empty."""

    @abstractmethod
    def alone(self, stream: str) -> bool:
        """Whether samples of the stream from nothing can be checked, if no other stream tells of it."""

    @abstractmethod
    def free(self, direction: Direction) -> tuple[str, ...]:
        """Returns the facts of the target that the inputs do not determine: samples should vary in them."""

    @abstractmethod
    def score(self, direction: Direction, answers: Sequence[Answer], samples: Sequence[Sample]) -> Estimates:
        """Returns the metrics of the predictions; `samples` have the ground truth, in the same order."""

    @abstractmethod
    def floor(
        self, direction: Direction, train: Sequence[Sample], samples: Sequence[Sample], typical: Answer
    ) -> dict[str, float]:
        """Returns the metrics of a prediction that ignores the inputs.

        Args:
            direction: the direction.
            train: training samples.
            samples: held-out samples.
            typical: the most common value of each target stream.
        """

    @abstractmethod
    def diversity(self, direction: Direction, first: Sequence[Answer], second: Sequence[Answer]) -> Estimates:
        """Returns how often two samples for the same inputs differ in their free facts, relative to the data
        (1: as diverse as the data).

        Args:
            direction: the direction.
            first: n predictions.
            second: n predictions for the same inputs.
        """
