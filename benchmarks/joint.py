"""One joint model beside a model for each direction, at equal total compute.

python benchmarks/joint.py FOLDER --streams image,caption [--steps 1200] [--tokenizer-steps 600] [--n 200]
                           [--batch 64] [--seeds 0,1,2] [--json F]

All models are of one size, on the same data, with the same frozen tokenizers; a sample of a batch counts as
one unit of compute. The joint model learns every direction in `--steps`; a model of its own, in steps
divided by the number of directions, nothing but its direction: no other target, no joint and no
unconditional samples. The scores are the headline of each direction on held-out samples. A model is above
where its figure is larger, or smaller where errors are counted.
"""

import argparse
import tempfile
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from statistics import fmean
from time import perf_counter
from typing import Any

from figures import Figures, Target, arguments, by_seed, publish

from modaloom import api
from modaloom.evaluation import ScoreRow, headlines
from modaloom.evaluation.headline import LOWER_IS_BETTER

JOINT, SEPARATE = "joint", "one for each"
ALONE = ("loom.mixture.joint_prob=0", "loom.mixture.uncond_prob=0", "training.precision=fp32")
GAIN, WINS = "joint above one for each, mean", "directions in which joint is above, share"
SECONDS = "seconds of training, "


def directions(streams: Sequence[str]) -> list[tuple[str, str]]:
    """All (given, wanted) pairs."""
    return [*permutations(streams, 2)]


def gain(joint: ScoreRow, separate: ScoreRow) -> float:
    """How much better the joint model is."""
    sign = -1 if joint.metric.startswith(LOWER_IS_BETTER) else 1
    return sign * (joint.value - separate.value)


def figures_of(joint: Sequence[ScoreRow], separate: Sequence[ScoreRow]) -> Figures:
    """Headlines of both, row by row, and what is between them."""
    others = {(row.row, row.split): row for row in separate}
    pairs = [(row, others[row.row, row.split]) for row in joint if (row.row, row.split) in others]
    found = {
        f"{row.row}, {row.split}, {row.metric}: {name}": row.value
        for pair in pairs
        for name, row in zip((JOINT, SEPARATE), pair)
    }
    gains = [gain(*pair) for pair in pairs]
    return {GAIN: fmean(gains), WINS: fmean(one > 0 for one in gains), **found}


def measured(options: argparse.Namespace, place: Path, seed: int) -> Figures:
    streams = options.streams.split(",")
    asked = directions(streams)

    def train(
        name: str, streams: Sequence[str], steps: Any, settings: Sequence[str], tokenizers: str = ""
    ) -> Any:
        size = f"training.loom.batch_size={options.batch}"
        return api.train(
            options.folder,
            out=place / name,
            preset="tiny",
            streams=streams,
            steps=steps,
            seed=seed,
            tokenizers=tokenizers,
            settings=[size, *settings],
            samples=1,
        )

    base = str(train("tokenizers", streams, options.tokenizer_steps, ()).path)
    began = perf_counter()
    joint = train(JOINT, streams, {"loom": options.steps}, ("training.precision=fp32",), base)
    spent = {JOINT: perf_counter() - began, SEPARATE: 0.0}
    rows, others = list[ScoreRow](), list[ScoreRow]()
    for given, want in asked:
        row, began = f"{given}->{want}", perf_counter()
        settings = (*ALONE, f'loom.mixture.wanted=["{want}"]')
        own = train(
            row.replace(">", ""), [given, want], {"loom": options.steps // len(asked)}, settings, base
        )
        spent[SEPARATE] += perf_counter() - began
        for run, found in ((joint, rows), (own, others)):
            found += headlines(api.evaluate(run, options.folder, rows=[row], n=options.n, seed=seed))
    return {**figures_of(rows, others), **{f"{SECONDS}{name}": value for name, value in spent.items()}}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="pairs with a held-out split")
    parser.add_argument("--streams", required=True, help="two or more, such as image,caption")
    parser.add_argument("--steps", type=int, default=1200, help="of the joint model")
    parser.add_argument("--tokenizer-steps", type=int, default=600, help="of the tokenizers that all share")
    parser.add_argument("--n", type=int, default=200, help="samples a direction and split")
    parser.add_argument("--batch", type=int, default=64, help="samples of a step")
    run(parser.parse_args())


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    found = {}
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as place:
            found[seed] = measured(options, Path(place), seed)
    shown = [name for name in next(iter(found.values())) if name != GAIN]
    publish([Target(GAIN, 0.0, ">"), *map(Target, shown)], by_seed(found), options.json)


if __name__ == "__main__":
    main()
