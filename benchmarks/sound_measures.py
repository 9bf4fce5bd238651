"""What is measured of the answers of the benchmark of speech and music."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache

import numpy as np
from figures import Figures
from voices import mel_cepstral_distance, voice_classifier
from world_parts import Baseline, Exam, parsed

from modaloom.core.types import Sample
from modaloom.evaluation.judge import Answer
from modaloom.modalities.audio_value import Audio
from modaloom.world.parsers.spoken_words import SAID


def copied(stream: str) -> Baseline:
    """The source as it is."""
    return lambda exam: [{exam.want: sample.streams[stream]} for sample in exam.ask.samples]


def differs(one: str, other: str) -> Callable[[Sample], bool]:
    """Whether the source is not the truth already, as it is of two equal voices."""
    return lambda sample: bool(sample.streams[one] != sample.streams[other])


def words(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """By the parser and, where it is installed, by pocketsphinx."""
    by_slot, sounds = parsed(exam, answers), [answer[exam.want] for answer in answers]
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
    said = _classifier(exam)([answer[exam.want] for answer in answers])
    return {"voice": float(np.mean([one == true["voice"] for one, true in zip(said, exam.facts)]))}


@cache
def _classifier(exam: Exam) -> Callable[[Sequence[Audio]], Sequence[str]]:
    """Sounds → voices."""
    known = [sample for sample in exam.train if "speech" in sample.streams]
    voices = [exam.known[sample.key]["voice"] for sample in known]
    return voice_classifier([sample.streams["speech"] for sample in known], voices)


def distance(exam: Exam, answers: Sequence[Answer]) -> Figures:
    pairs = [
        (answer[exam.want], sample.streams[exam.want]) for answer, sample in zip(answers, exam.ask.samples)
    ]
    return {"mel-cepstral distance, dB": float(np.mean([mel_cepstral_distance(*pair) for pair in pairs]))}
