"""Parts of the synthetic world through a Loom: a world, a run on it, and what is asked of the run.

Shared by world_sound.py and world_video.py. Columns: `retrieval` is the training sample with the nearest
inputs, `truth` the held-out value, `ceiling` the truth through its tokenizer, `drawn` the run's answer.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from figures import Figures, Target, publish

from modaloom import api
from modaloom.core.frame import finished
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.evaluation.baselines import Library, pick
from modaloom.evaluation.choice import judge_of
from modaloom.evaluation.directions import named_directions
from modaloom.evaluation.judge import Answer
from modaloom.evaluation.parsed import read_facts
from modaloom.loom.evaluation.direction import DirectionEvaluation
from modaloom.loom.evaluation.encoded import Encoded
from modaloom.loom.evaluation.folder import FolderReading
from modaloom.tokenizers.spans import Span
from modaloom.world.score import Facts, score
from modaloom.world.splits import NONE
from modaloom.world.write import FACTS

DRAWN = "drawn"
DRAWN_LIKE_THE_DEMO = (
    *("loom.sampling.temperature=0.9", "loom.sampling.choice_temperature=0.25"),
    "loom.sampling.sampler=coarse_to_fine",
)
"""Settings of a run."""


def tokenizer_settings(modality: str, options: Mapping[str, Any]) -> list[str]:
    """Options of the tokenizers of a modality, as settings of a run."""
    return [f"tokenizers.{modality}.{name}={json.dumps(value)}" for name, value in options.items()]


@dataclass(frozen=True, eq=False)
class Exam:
    """A direction on a split."""

    ask: DirectionEvaluation
    train: Sequence[Sample]
    known: Mapping[str, Facts]
    """Key → facts, of all samples."""
    kept: Sequence[Span] = ()
    """Of the target."""

    @property
    def want(self) -> str:
        return self.ask.direction.want[0]

    @property
    def facts(self) -> list[Facts]:
        """Of the held-out samples."""
        return [self.known[sample.key] for sample in self.ask.samples]


Measure = Callable[[Exam, Sequence[Answer]], Figures]
Baseline = Callable[[Exam], list[Answer]]


@dataclass(frozen=True)
class Asked:
    """What is measured of a direction on a split."""

    row: str
    split: str
    measures: Sequence[Measure]
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    """Column → answers."""
    kept: Sequence[Span] = ()
    """Parts of the target that are given, too: seconds of sounds, frames of clips."""
    differs: Callable[[Sample], bool] = lambda sample: True
    """Which held-out samples are asked."""

    def name(self, figure: str) -> str:
        given = "".join(f", {start:g}–{end:g} kept" for start, end in self.kept)
        return f"{self.row}{given}, {self.split}: {figure}"


@dataclass(frozen=True)
class Part:
    """A world, a run on it, and what is asked of the run."""

    streams: Sequence[str]
    asked: Sequence[Asked]
    targets: Sequence[Target]
    settings: Sequence[str] = ()


def slots(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """By the parser: the mean slot, and each."""
    found = exam.ask.score(answers)
    return {name: one.value for name, one in found.items() if name.startswith(("slot.", "entropy."))}


def parsed(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """By the parser, whatever was given: each slot that the target shows."""
    hits = [score(exam.want, answer[exam.want], facts) for answer, facts in zip(answers, exam.facts)]
    return {slot: float(np.mean([hit[slot] for hit in hits])) for slot in hits[0]}


def novelty(exam: Exam, answers: Sequence[Answer]) -> Figures:
    """Median distance to the nearest training value, relative to that of held-out ones."""
    found = exam.ask.reference(exam.want)([answer[exam.want] for answer in answers])
    return {"novelty": found["novelty"].value}


def exams(
    run: Any, folder: Path, asked: Sequence[Asked], n: int, seed: int, sampling: Mapping[str, Any] = NONE
) -> Iterator[tuple[Asked, Exam]]:
    """Held-out samples of each direction. `sampling`: instead of the run's."""
    options = run.sampling(sampling)
    index, facts = open_folder(folder), read_facts(folder / FACTS)
    reading = FolderReading(run, index, list(run.model.streams))
    train = reading.read(("train",))["train"]
    tests = reading.read(sorted({f"test-{one.split}" for one in asked}))
    judge = judge_of(folder, train, tests, run.modality_of, run.model.specs)
    library, encoded = Library(train, run.modality_of, run.model.specs, seed=seed), Encoded(run.model)
    for one in asked:
        (direction,) = named_directions([one.row], list(run.model.streams), judge)
        samples = pick([*filter(one.differs, tests[f"test-{one.split}"])], direction.streams, n, seed)
        ask = DirectionEvaluation(encoded, library, judge, direction, one.split, samples, seed, options)
        yield one, Exam(ask, train, facts, one.kept)


def columns(one: Asked, exam: Exam) -> Iterator[tuple[str, list[Answer]]]:
    """Column → answers."""
    samples, want = exam.ask.samples, exam.ask.direction.want
    if exam.ask.direction.given:
        yield "retrieval", exam.ask.library.retrieve(exam.ask.direction, samples)
    for name, baseline in one.baselines.items():
        yield name, baseline(exam)
    yield "truth", [{name: sample.streams[name] for name in want} for sample in samples]
    yield "ceiling", exam.ask.reconstructions()
    yield DRAWN, drawn(exam)


def drawn(exam: Exam) -> list[Answer]:
    """The run's answers."""
    ask = exam.ask
    if not exam.kept:
        return ask.generate(ask.samples)
    want, model = ask.direction.want, ask.encoded.model
    kept = {name: model.streams[name].tokenizer.positions_in(exam.kept) for name in want}
    given = {name: ask.encoded.codes(name, ask.samples) for name in ask.direction.streams}
    names = [sample.key for sample in ask.samples]
    options = ask.sampling
    frames = model.stream(given, want, n=len(names), seed=ask.seed, names=names, options=options, kept=kept)
    return [*model.values(finished(frames))]


def measured(
    run: Any, folder: Path, part: Part, *, n: int, seed: int, sampling: Mapping[str, Any] = NONE
) -> dict[str, dict[str, float]]:
    """Column → figures; `drawn`, the last one, has also figures relative to the others."""
    found: dict[str, dict[str, float]] = {}
    for one, exam in exams(run, folder, part.asked, n, seed, sampling):
        for column, answers in columns(one, exam):
            figures = found.setdefault(column, {})
            for measure in one.measures:
                figures |= {one.name(name): value for name, value in measure(exam, answers).items()}
    last = found.pop(DRAWN)
    ratios = {
        f"{name} / {column}": last[name] / value
        for column, figures in found.items()
        for name, value in figures.items()
        if value and name in last
    }
    return {**found, DRAWN: last | ratios}


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, json.loads(value)


def run_part(
    description: str | None,
    parts: Mapping[str, Part],
    *,
    out: str,
    settings: Sequence[str],
    fixed: Mapping[str, str] = NONE,
) -> None:
    """The command line of a benchmark: writes a world, trains a run on it, and publishes its figures."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=parts)
    parser.add_argument("--minutes", type=float, default=40.0, help="of training")
    parser.add_argument("--samples", type=int, default=8000, help="of training")
    parser.add_argument("--n", type=int, default=100, help="samples a direction")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sampling", nargs="+", default=[], type=_setting, help="KEY=NUMBER, not the run's")
    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument("--set", nargs="+", default=[], help="settings of the training")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    part, out_of_part = parts[options.part], options.out / options.part
    folder = out_of_part.with_name(f"{options.part}-world")
    if not folder.exists():
        api.world(folder, n=options.samples, seed=options.seed, streams=part.streams, fixed=fixed)
    run = api.train(
        folder,
        out=out_of_part,
        minutes=options.minutes,
        seed=options.seed,
        settings=[*settings, *part.settings, *options.set],
        samples=1,
        resume=True,
    )
    found = measured(run, folder, part, n=options.n, seed=options.seed, sampling=dict(options.sampling))
    publish(part.targets, found, options.json)
