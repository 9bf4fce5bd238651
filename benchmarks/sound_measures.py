"""What is measured of the answers of the benchmark of speech and music."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from figures import Figures
from voices import mel_cepstral_distance

from modaloom.evaluation.judge import Answer
from modaloom.loom.evaluation.direction import DirectionEvaluation
from modaloom.world.parsers.spoken_words import SAID
from modaloom.world.score import Facts, score

Measure = Callable[["Exam", Sequence[Answer]], Figures]


@dataclass(frozen=True)
class Exam:
    """A direction on a split."""

    ask: DirectionEvaluation
    facts: Sequence[Facts]
    """Of the samples."""
    classifier: Any
    """Of voices."""

    @property
    def want(self) -> str:
        return self.ask.direction.want[0]


def slots(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """By the parser: the mean slot, and each."""
    found = exam.ask.score(answers)
    return {name: one.value for name, one in found.items() if name.startswith(("slot.", "entropy."))}


def heard(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """By the parser, whatever was given: each slot that the target shows."""
    hits = [score(exam.want, answer[exam.want], facts) for answer, facts in zip(answers, exam.facts)]
    return {slot: float(np.mean([hit[slot] for hit in hits])) for slot in hits[0]}


def words(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """By the parser and, where it is installed, by pocketsphinx."""
    by_slot, sounds = heard(exam, answers), [answer[exam.want] for answer in answers]
    found = {"words": float(np.mean([by_slot[slot] for slot in SAID]))}
    with suppress(ImportError):
        import spoken

        decoder, rng = spoken.recogniser(), np.random.default_rng(0)
        second = [spoken.heard(decoder, sound, rng) for sound in sounds]
        right = [said.get(slot) == true[slot] for said, true in zip(second, exam.facts) for slot in SAID]
        found["words, pocketsphinx"] = float(np.mean(right))
    return found


def voice(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """By a classifier that is fitted to real speech of the training split."""
    said = exam.classifier([answer[exam.want] for answer in answers])
    return {"voice": float(np.mean([one == true["voice"] for one, true in zip(said, exam.facts)]))}


def distance(exam: Exam, answers: Sequence[Answer]) -> Figures:
    pairs = [
        (answer[exam.want], sample.streams[exam.want]) for answer, sample in zip(answers, exam.ask.samples)
    ]
    return {"mel-cepstral distance, dB": float(np.mean([mel_cepstral_distance(*pair) for pair in pairs]))}


def novelty(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """Median distance to the nearest training piece, relative to that of held-out pieces."""
    found = exam.ask.reference(exam.want)([answer[exam.want] for answer in answers])
    return {"novelty": found["novelty"].value}
