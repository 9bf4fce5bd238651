"""The contract of a judge: what can be asked of some streams, and how good answers are."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import combinations

from modaloom.core.types import Sample
from modaloom.evaluation.rows import Direction
from modaloom.modalities.base import Value

Answer = Mapping[str, Value]
"""Wanted stream → value."""


class Judge(ABC):
    """Scores answers, whoever gave them. Higher is better, but for metrics in `headline.LOWER`."""

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
    def score(
        self, direction: Direction, answers: Sequence[Answer], samples: Sequence[Sample]
    ) -> dict[str, float]:
        """Metric → mean over the answers; `samples` hold the truths."""

    @abstractmethod
    def floor(
        self, direction: Direction, train: Sequence[Sample], samples: Sequence[Sample], typical: Answer
    ) -> dict[str, float]:
        """Metric → what is scored without looking at what is given; `typical` is the commonest answer."""

    @abstractmethod
    def diversity(
        self, direction: Direction, first: Sequence[Answer], second: Sequence[Answer]
    ) -> dict[str, float]:
        """Metric → how much two draws for the same givens differ in what is free; 1 is as much as data."""


def all_directions(
    streams: Sequence[str], judge: Judge, wanted: Sequence[str] | None = None
) -> list[Direction]:
    """Everything worth asking: each stream from the fewest others that say something of it, each from all
    the others, and those that can be checked against each other from nothing. `wanted`: default all streams.
    """
    wanted = streams if wanted is None else wanted
    found = [
        Direction(given, (want,))
        for want in wanted
        for given in _givens([name for name in streams if name != want], want, judge)
    ]
    joint = judge.joint(wanted)
    return [*found, *([Direction((), joint)] if joint else [])]


def _givens(others: Sequence[str], want: str, judge: Judge) -> list[tuple[str, ...]]:
    by_size = (
        [g for g in combinations(others, k) if judge.related(g, want)] for k in range(1, 1 + len(others))
    )
    fewest = next(filter(None, by_size), [])
    return list(dict.fromkeys([*fewest, tuple(others)])) if fewest else []
