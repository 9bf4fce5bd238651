"""The worst samples, by the judge's score of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modaloom.core.types import Sample
from modaloom.evaluation.headline import headlines, sign
from modaloom.evaluation.judge import Answer, Judge
from modaloom.evaluation.rows import Direction, ScoreRow

SLOT_PREFIX, AGGREGATES = "slot.", ("slot.mean", "slot.worst")
"""Prefix of the metrics of single facts; metrics that aggregate several facts."""


@dataclass(frozen=True)
class AnswerScore:
    """Score of one sample."""

    metric: str
    """Headline metric of its direction."""
    value: float
    truth: float
    """Score of the ground truth."""
    missed: tuple[str, ...] = ()
    """Incorrect facts."""

    @property
    def shortfall(self) -> float:
        """Difference to the score of the ground truth; positive if worse."""
        return sign(self.metric) * (self.truth - self.value)

    @property
    def note(self) -> str:
        """`slot.mean 0.75, wrong: shape`."""
        wrong = f", wrong: {', '.join(self.missed)}" if self.missed else ""
        return f"{self.metric} {self.value:.2f}{wrong}"


def score_answers(
    judge: Judge, direction: Direction, answers: Mapping[int, Answer], samples: Sequence[Sample]
) -> dict[int, AnswerScore]:
    """Scores predictions one by one.

    Args:
        judge: the judge.
        direction: the direction.
        answers: index into `samples` → prediction.
        samples: samples with the ground truth.

    Returns:
        Index → score, for predictions that have a metric.
    """
    found = {
        place: _score_answer(judge, direction, answer, samples[place]) for place, answer in answers.items()
    }
    return {place: mark for place, mark in found.items() if mark is not None}


def lowest(scores: Mapping[int, AnswerScore], n: int) -> list[int]:
    """Returns the indices of the n greatest shortfalls, the worst first; of equal ones, the lower index."""
    faulty = [place for place in sorted(scores) if scores[place].shortfall > 0]
    return sorted(faulty, key=lambda place: -scores[place].shortfall)[:n]


def _score_answer(judge: Judge, direction: Direction, answer: Answer, sample: Sample) -> AnswerScore | None:
    estimates = {m: estimate.value for m, estimate in judge.score(direction, [answer], [sample]).items()}
    if not estimates:
        return None
    (row,) = headlines(ScoreRow(direction.name, "", metric, value) for metric, value in estimates.items())
    truth = judge.score(direction, [sample.streams], [sample])[row.metric].value
    missed = (m for m, v in estimates.items() if m.startswith(SLOT_PREFIX) and m not in AGGREGATES and v == 0)
    return AnswerScore(row.metric, row.value, truth, tuple(m.removeprefix(SLOT_PREFIX) for m in missed))
