"""Joint attention (condition tokens attend to everything) against encoder–decoder (only to each other).

python benchmarks/attention.py [--steps 1500] [--minutes 4] [--seeds 0]

Both train on one small world with the same tokenizer, first for equal steps, then for equal minutes.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from time import perf_counter

from figures import Figures, Target, arguments, medians, publish

from modaloom import api
from modaloom.evaluation import ScoreRow
from modaloom.loom.config import LoomRunConfig
from modaloom.recipes.demo import DemoWorld, demo
from modaloom.runs.store import RunFiles

ATTENTION = {"joint": False, "encoder–decoder": True}
"""Name → `loom.encoder_decoder`."""
ROWS = {
    "image->caption": "slot.mean",
    "caption->image": "slot.mean",
    "image+question->answer": "slot.mean",
    "->image+caption": "agree.mean",
}
"""Direction → its metric."""
TOKENIZER, LOOM = "image", "loom"
"""Stages of the training."""


def config(*, encoder_decoder: bool) -> LoomRunConfig:
    """The demo's configuration with that attention."""
    run = demo()
    return replace(run, loom=replace(run.loom, encoder_decoder=encoder_decoder))


def train(options: argparse.Namespace, name: str, budget: str, seed: int) -> api.TrainedRun:
    """One run; an existing one is resumed, or reused if finished."""
    run, steps = config(encoder_decoder=ATTENTION[name]), {TOKENIZER: options.tokenizer_steps}
    if budget == "steps":
        steps[LOOM] = options.steps
    else:
        run = replace(run, training=replace(run.training, minutes=options.minutes))
    run = replace(run, training=replace(run.training, steps=steps))
    out = options.out / f"{budget}-{name}-{seed}"
    return api.train(options.out / "world", out=out, config=run, seed=seed, resume=True, samples=8)


def measure(run: api.TrainedRun, world: Path, *, n: int) -> Figures:
    """Scores on seen and unseen combinations, validation bounds, steps, evaluation time."""
    start = perf_counter()
    rows = api.evaluate(run, world, n=n)
    seconds = perf_counter() - start
    scores = {_name(row): row.value for row in rows if ROWS.get(row.row) == row.metric}
    bounds = [line for line in RunFiles(run.path).metrics() if "val.bits.image" in line][-1]
    bits = {name: value for name, value in bounds.items() if name.startswith("val.bits.")}
    return {
        **scores,
        **bits,
        "val.bits, mean": fmean(bits.values()),
        "steps": run.run.training.steps[LOOM],
        "evaluation, seconds": seconds,
    }


def _name(row: ScoreRow) -> str:
    return f"{row.row}, {row.split}: {row.metric}"


def compare(options: argparse.Namespace, budget: str) -> dict[str, Figures]:
    """Attention → medians over the seeds."""
    world = options.out / "world"
    return {
        name: medians(
            measure(train(options, name, budget, seed), world, n=options.n) for seed in options.seeds
        )
        for name in ATTENTION
    }


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--steps", type=int, default=1500, help="of the Loom, where steps are equal")
    parser.add_argument("--minutes", type=float, default=4.0, help="of training, where minutes are equal")
    parser.add_argument("--tokenizer-steps", type=int, default=400)
    parser.add_argument("--samples", type=int, default=4000, help="training samples of the world")
    parser.add_argument("--n", type=int, default=200, help="samples a direction and split")
    parser.add_argument("--out", type=Path, default="runs/attention-benchmark", help="for world and runs")
    options = parser.parse_args()
    if not (options.out / "world").exists():
        api.world(
            options.out / "world", n=options.samples, streams=DemoWorld().streams, fixed=DemoWorld().fixed
        )
    found = {
        f"{name}, equal {budget}": figures
        for budget in ("steps", "minutes")
        for name, figures in compare(options, budget).items()
    }
    publish([Target(name) for name in next(iter(found.values()))], found, options.json)


if __name__ == "__main__":
    main()
