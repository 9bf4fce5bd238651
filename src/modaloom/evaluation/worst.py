"""The worst of some draws, by the judge's opinion of each alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modaloom.core.types import Sample
from modaloom.evaluation.headline import headlines, sign
from modaloom.evaluation.judge import Answer, Judge
from modaloom.evaluation.rows import Direction, ScoreRow

SLOT_PREFIX, AGGREGATES = "slot.", ("slot.mean", "slot.worst")
"""How the metrics of single facts begin, and those that are of several."""


@dataclass(frozen=True)
class AnswerScore:
    """Of one draw."""

    metric: str
    """That of its direction's headline."""
    value: float
    truth: float
    """What the truth is marked."""
    missed: tuple[str, ...] = ()
    """The facts that it has wrong."""

    @property
    def shortfall(self) -> float:
        """How far it is behind the truth."""
        return sign(self.metric) * (self.truth - self.value)

    @property
    def note(self) -> str:
        """`slot.mean 0.75, wrong: shape`."""
        wrong = f", wrong: {', '.join(self.missed)}" if self.missed else ""
        return f"{self.metric} {self.value:.2f}{wrong}"


def score_answers(
    judge: Judge, direction: Direction, answers: Mapping[int, Answer], samples: Sequence[Sample]
) -> dict[int, AnswerScore]:
    """Place → mark of the answer for the sample that stands there, where there is anything to tell."""
    found = {
        place: _score_answer(judge, direction, answer, samples[place]) for place, answer in answers.items()
    }
    return {place: mark for place, mark in found.items() if mark is not None}


def lowest(scores: Mapping[int, AnswerScore], n: int) -> list[int]:
    """The places of the n with the greatest faults, the worst first, of equals the earlier one."""
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
