"""modaloom beside off-the-shelf parts: vector-quantize-pytorch and a plain masked transformer.

python benchmarks/glue.py [--minutes 8 | --steps 1500] [--seeds 0,1,2] [--out RUNS]

Both train on the demo's world for equal minutes (or steps) with equal parameters, and are scored on the same
held-out samples by the same parser. Existing runs of the demo in RUNS are resumed or reused; the figures of
finished seeds are kept in RUNS/glue.json.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from budget import parameters
from figures import Figures, Target, arguments, medians, table
from glued.model import Glue
from glued.training import train as train_glue
from kept import Kept

from modaloom import api
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.evaluation import Direction, ScoreRow, judge_of
from modaloom.loom.evaluation.evaluator import evaluate
from modaloom.loom.files import LOOM
from modaloom.recipes.demo import DemoWorld, demo
from modaloom.world.splits import SPLITS

DIRECTIONS = {
    Direction(("image",), ("caption",)): ("slot.mean", "slot.worst", "exact"),
    Direction(("caption",), ("image",)): ("slot.mean", "slot.worst", "exact"),
    Direction(("image", "question"), ("answer",)): ("slot.mean",),
    Direction((), ("image", "caption")): ("agree.mean", "agree.all"),
}
"""Direction → the metrics that are shown."""
AHEAD, UNSEEN = (0.0, ">"), (0.10, "≥")
"""By how much modaloom has to lead: on every row, and in the mean slot of unseen combinations (level 1)."""
TOKENIZER = "image"
"""The demo's learned tokenizer."""
SIZES = ("tokenizer: parameters", "transformer: parameters", "tokenizer: steps", "transformer: steps")
"""Sizes of both models, shown below the scores."""


@dataclass(frozen=True)
class Exam:
    """A world and the evaluation on it."""

    folder: Path
    train: Sequence[Sample]
    tests: dict[str, list[Sample]]
    n: int

    @classmethod
    def of(cls, folder: Path, *, n: int) -> "Exam":
        """The streams of the demo; n samples a direction and split are asked about."""
        index = open_folder(folder)
        reader, splits = Reader(index, streams=DemoWorld().streams), index.splits or {}
        by_split: dict[str, list[Sample]] = {name: [] for name in SPLITS}
        for sample in index.samples:
            by_split[splits[sample.key]].append(reader.read(sample))
        tests = {name: found for name, found in by_split.items() if name.startswith("test")}
        return cls(folder, by_split["train"], tests, n)

    def figures(self, model: Any) -> Figures:
        """Scores, floors and ceilings of a model: modaloom's, or any with its methods."""
        judge = judge_of(
            self.folder, self.train, self.tests, open_folder(self.folder).modality_of, model.specs
        )
        rows = evaluate(model, self.train, self.tests, judge=judge, directions=[*DIRECTIONS], n=self.n)
        return {name: value for row in rows for name, value in _shown(row) if value is not None}


def _shown(row: ScoreRow) -> Iterator[tuple[str, float | None]]:
    name = f"{row.row}, {row.split}: {row.metric}"
    if row.metric in next(metrics for ask, metrics in DIRECTIONS.items() if ask.name == row.row):
        yield from ((name, row.value), (f"{name}, floor", row.floor), (f"{name}, ceiling", row.ceiling))


def targets(names: Sequence[str]) -> list[Target]:
    """How far modaloom leads, for every score among the names; then sizes, only shown."""
    scores = [name for name in names if name not in SIZES and not name.endswith((", floor", ", ceiling"))]
    unseen = "level1: slot.mean"
    return [
        *(Target(name, *(UNSEEN if name.endswith(unseen) else AHEAD)) for name in scores),
        *map(Target, SIZES),
    ]


def compared(ours: Sequence[Figures], theirs: Sequence[Figures]) -> dict[str, Figures]:
    """Columns: medians over the seeds; a lead is that of one seed."""
    scores = [target.name for target in targets([*ours[0]]) if target.bound is not None]
    lead = {name: [a[name] - b[name] for a, b in zip(ours, theirs)] for name in scores}
    ceiling = {name: f"{name}, ceiling" for name in scores}
    mine, other = medians(ours), medians(theirs)
    return {
        "floor": {name: mine[f"{name}, floor"] for name in scores if f"{name}, floor" in mine},
        "modaloom's ceiling": {name: mine[c] for name, c in ceiling.items() if c in mine},
        "glue's ceiling": {name: other[c] for name, c in ceiling.items() if c in other},
        "modaloom": mine,
        "glue": other,
        "least lead": {name: min(values) for name, values in lead.items()},
        "lead": {name: median(values) for name, values in lead.items()},
    }


def ours(options: argparse.Namespace, seed: int) -> tuple[api.TrainedRun, Path]:
    """The demo at a seed, and its world."""
    out, size = options.out / f"seed-{seed}", DemoWorld()
    folder = out.with_name(f"{out.name}-world")
    if options.steps is None:
        return api.demo(out=out, minutes=options.minutes, seed=seed), folder
    if not folder.exists():
        api.world(
            folder, n=size.samples, seed=seed, held_out=size.held_out, streams=size.streams, fixed=size.fixed
        )
    steps = {TOKENIZER: options.tokenizer_steps, LOOM: options.steps}
    config = demo()
    config = replace(config, seed=seed, training=replace(config.training, steps=steps))
    return api.train(folder, out=out, config=config, resume=True, samples=8), folder


def glue(options: argparse.Namespace, run: api.TrainedRun, exam: Exam, seed: int) -> Glue:
    """The same data and minutes, or steps."""
    steps = {"tokenizer": options.tokenizer_steps, "transformer": options.steps} if options.steps else None
    modalities = {name: stream.modality for name, stream in run.model.streams.items()}
    wanted = run.model.wanted
    return train_glue(exam.train, modalities, wanted, 60 * options.minutes, steps=steps, seed=seed)


def measure(options: argparse.Namespace, seed: int) -> dict[str, Figures]:
    """Name → figures of a model, for both, trained at a seed."""
    run, folder = ours(options, seed)
    exam = Exam.of(folder, n=options.n)
    other = glue(options, run, exam, seed)
    tokenizer, loom = run.model.streams[TOKENIZER].tokenizer, run.model.loom
    spent = run.run.training.steps
    return {
        "modaloom": {
            **exam.figures(run.model),
            **_size(parameters(tokenizer), parameters(loom), spent[TOKENIZER], spent[LOOM]),
        },
        "glue": {
            **exam.figures(other),
            **_size(
                parameters(other.autoencoder), parameters(other.transformer), *map(len, other.losses.values())
            ),
        },
    }


def _size(*values: float) -> Figures:
    return dict(zip(SIZES, values, strict=True))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=8.0, help="of training")
    parser.add_argument("--steps", type=int, help="of both transformers, instead of minutes")
    parser.add_argument("--tokenizer-steps", type=int, default=400, help="with --steps")
    parser.add_argument("--n", type=int, default=500, help="samples a direction and split")
    parser.add_argument("--out", type=Path, default="runs/glue-benchmark", help="where runs and worlds go")
    run(parser.parse_args())


def run(options: argparse.Namespace) -> None:
    """Train, measure and print."""
    names = ("minutes", "n") if options.steps is None else ("steps", "tokenizer_steps", "n")
    options.out.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.json or options.out / "glue.json", {name: getattr(options, name) for name in names})
    found = [kept.case(f"seed {seed}", lambda: measure(options, seed)) for seed in options.seeds]  # noqa: B023
    both = [[seed[name] for seed in found] for name in ("modaloom", "glue")]
    print(table(targets([*both[0][0]]), compared(*both)))


if __name__ == "__main__":
    main()
