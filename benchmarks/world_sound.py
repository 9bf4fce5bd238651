"""Speech and music of the synthetic world through a Loom: what is recognised, beside ceilings.

python benchmarks/world_sound.py words|voices|music [--minutes 40] [--samples 6000] [--n 100] [--out OUT]
    [--seed 0] [--set KEY=VALUE …] [--json FILE]

Needs `pip install 'modaloom[speech,estimators]'`; with `modaloom[recognition]`, pocketsphinx is a second
judge of words. Writes OUT/PART-world and trains OUT/PART, which are reused where they are there.

`words` is image, caption and speech, of combinations that are absent from training (level 1), and of voices
that are, too (level 2). `voices` turns speech into a robot's, and into the voice of a reference that says
something else. `music` draws music for a record, for nothing, and around seconds that it keeps. Columns:
`retrieval` is the training sample with the nearest inputs, `copy` the source as it is, `ceiling` the truth
through its tokenizer.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures import Target, publish
from sound_measures import Exam, Measure, distance, heard, novelty, slots, voice, words
from voices import voice_classifier

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
from modaloom.recipes.demo import SOUND_SETTINGS
from modaloom.tokenizers.spans import Span
from modaloom.world.score import Facts
from modaloom.world.write import FACTS


@dataclass(frozen=True)
class Asked:
    """What is measured of a direction on a split."""

    row: str
    split: str
    measures: Sequence[Measure]
    copied: str = ""
    """The stream that the answer is beside."""
    kept: Sequence[Span] = ()
    """Seconds of the target that are given, too."""

    def name(self, figure: str) -> str:
        given = "".join(f", {start:g}–{end:g} s kept" for start, end in self.kept)
        return f"{self.row}{given}, {self.split}: {figure}"


@dataclass(frozen=True)
class Part:
    """A world, a run on it, and what is asked of the run."""

    streams: Sequence[str]
    asked: Sequence[Asked]
    targets: Sequence[Target]
    settings: Sequence[str] = ()


SETTINGS = (
    *(f"tokenizers.audio.{name}={value}" for name, value in SOUND_SETTINGS.items()),
    *("loom.sampling.temperature=0.9", "loom.sampling.choice_temperature=0.25"),
    *("loom.mixture.target_power=0.25", "loom.sampling.sampler=coarse_to_fine"),
)
"""Those of the demo, and sounds more often as the target, since they take longest to learn."""


IMAGE, CAPTION = "image->speech, level1: words", "caption->speech, level1: words"
ROBOT, OTHER = "speech->speech.robot, level1: ", "speech.other+speech.reference->speech, level1: "
CONTINUED, FILLED = [(0.0, 1.0)], [(0.0, 0.6), (1.4, 2.0)]
"""Seconds of music that are kept."""
DISTANCE = "mel-cepstral distance, dB"
PARTS = {
    "words": Part(
        ("image", "caption", "speech"),
        [
            Asked("image->speech", "level1", (words,)),
            Asked("caption->speech", "level1", (words,)),
            Asked("speech->caption", "level1", (slots,)),
            Asked("speech->caption", "level2", (slots,)),
        ],
        [
            Target(IMAGE),
            Target(f"{IMAGE} / ceiling", 0.85),
            Target(f"{IMAGE}, pocketsphinx"),
            Target(CAPTION),
            Target(f"{CAPTION} / ceiling", 0.9),
            Target(f"{CAPTION}, pocketsphinx"),
            Target("speech->caption, level1: slot.mean"),
            Target("speech->caption, level2: slot.mean", 0.95),
        ],
        ["tokenizers.image.global_codes=1"],
    ),
    "voices": Part(
        ("speech", "speech.other", "speech.reference", "speech.robot"),
        [
            Asked("speech->speech.robot", "level1", (words, distance), "speech"),
            Asked(
                "speech.other+speech.reference->speech",
                "level1",
                (words, voice, distance),
                "speech.other",
            ),
        ],
        [
            Target(f"{ROBOT}words"),
            Target(f"{ROBOT}words / ceiling", 0.9),
            Target(f"{ROBOT}{DISTANCE}"),
            Target(f"{OTHER}words"),
            Target(f"{OTHER}words / ceiling", 0.9),
            Target(f"{OTHER}words, pocketsphinx"),
            Target(f"{OTHER}voice", 0.9),
            Target(f"{OTHER}{DISTANCE}"),
            Target(f"{OTHER}{DISTANCE} / copy", 0.7, "≤"),
        ],
        ['loom.mixture.wanted=["speech","speech.robot"]'],
    ),
    "music": Part(
        ("music", "record"),
        [
            Asked("record->music", "seen", (slots, novelty)),
            Asked("music->record", "seen", (slots,)),
            Asked("->music", "seen", (slots, novelty)),
            *(Asked("->music", "seen", (heard,), kept=kept) for kept in (CONTINUED, FILLED)),
        ],
        [
            Target("record->music, seen: slot.tempo", 0.95),
            Target("record->music, seen: novelty", 0.8),
            Target("music->record, seen: slot.tempo"),
            *(Target(f"->music, seen: entropy.{name}", 0.95) for name in ("tempo", "instrument", "register")),
            Target("->music, seen: novelty", 0.8),
            *(
                Target(Asked("->music", "seen", (), kept=kept).name(slot))
                for kept in (CONTINUED, FILLED)
                for slot in ("tempo", "instrument", "register")
            ),
        ],
    ),
}


def exams(run: Any, folder: Path, asked: Sequence[Asked], n: int, seed: int) -> Iterator[tuple[Asked, Exam]]:
    """Held-out samples of each direction."""
    index, facts = open_folder(folder), read_facts(folder / FACTS)
    reading = FolderReading(run, index, list(run.model.streams))
    train = reading.read(("train",))["train"]
    tests = reading.read(sorted({f"test-{one.split}" for one in asked}))
    judge = judge_of(folder, train, tests, run.modality_of, run.model.specs)
    library, encoded = Library(train, run.modality_of, run.model.specs, seed=seed), Encoded(run.model)
    classifier = _classifier(train, facts) if any(voice in one.measures for one in asked) else None
    for one in asked:
        (direction,) = named_directions([one.row], list(run.model.streams), judge)
        others = [
            s
            for s in tests[f"test-{one.split}"]
            if not one.copied or _differs(s, one.copied, direction.want[0])
        ]
        samples = pick(others, direction.streams, n, seed)
        ask = DirectionEvaluation(encoded, library, judge, direction, one.split, samples, seed, None)
        yield one, Exam(ask, [facts[sample.key] for sample in samples], classifier)


def _differs(sample: Sample, one: str, other: str) -> bool:
    """Whether the source is not the truth already, as it is of two equal voices."""
    return bool(sample.streams[one] != sample.streams[other])


def _classifier(train: Sequence[Sample], facts: dict[str, Facts]) -> Any:
    """Sounds → voices."""
    known = [sample for sample in train if "speech" in sample.streams]
    return voice_classifier([s.streams["speech"] for s in known], [facts[s.key]["voice"] for s in known])


def columns(one: Asked, exam: Exam) -> Iterator[tuple[str, list[Answer]]]:
    """Column → answers."""
    samples = exam.ask.samples
    if exam.ask.direction.given:
        yield "retrieval", exam.ask.library.retrieve(exam.ask.direction, samples)
    if one.copied:
        yield "copy", [{exam.want: sample.streams[one.copied]} for sample in samples]
    yield "truth", [{exam.want: sample.streams[exam.want]} for sample in samples]
    yield "ceiling", exam.ask.reconstructions()
    yield "drawn", drawn(one, exam.ask)


def drawn(one: Asked, ask: DirectionEvaluation) -> list[Answer]:
    """The run's answers."""
    if not one.kept:
        return ask.generate(ask.samples)
    (want,), model, n = ask.direction.want, ask.encoded.model, len(ask.samples)
    kept = {want: model.streams[want].tokenizer.positions_in(one.kept)}
    given, names = {want: ask.encoded.codes(want, ask.samples)}, [sample.key for sample in ask.samples]
    return [*model.values(finished(model.stream(given, [want], n=n, seed=ask.seed, names=names, kept=kept)))]


def measured(run: Any, folder: Path, part: Part, *, n: int, seed: int) -> dict[str, dict[str, float]]:
    """Column → figures; `drawn`, the last one, has also figures relative to others."""
    found: dict[str, dict[str, float]] = {
        name: {} for name in ("retrieval", "copy", "truth", "ceiling", "drawn")
    }
    for one, exam in exams(run, folder, part.asked, n, seed):
        for column, answers in columns(one, exam):
            for measure in one.measures:
                figures = {one.name(name): value for name, value in measure(exam, answers).items()}
                found[column] |= figures
                if column == "drawn":
                    for name, value in figures.items():
                        for other in ("ceiling", "copy"):
                            if found[other].get(name):
                                found[column][f"{name} / {other}"] = value / found[other][name]
    return {name: column for name, column in found.items() if column}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--minutes", type=float, default=40.0, help="of training")
    parser.add_argument("--samples", type=int, default=6000, help="of training")
    parser.add_argument("--n", type=int, default=100, help="samples a direction")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/world-sound"))
    parser.add_argument("--set", nargs="+", default=[], help="settings of the training")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    part, out = PARTS[options.part], options.out / options.part
    folder = out.with_name(f"{options.part}-world")
    if not folder.exists():
        api.world(
            folder, n=options.samples, seed=options.seed, streams=part.streams, fixed={"motion": "still"}
        )
    run = api.train(
        folder,
        out=out,
        minutes=options.minutes,
        seed=options.seed,
        settings=[*SETTINGS, *part.settings, *options.set],
        samples=1,
        resume=True,
    )
    publish(part.targets, measured(run, folder, part, n=options.n, seed=options.seed), options.json)


if __name__ == "__main__":
    main()
