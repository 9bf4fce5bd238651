"""One joint model beside a model for each direction, at equal total compute.

python benchmarks/joint.py FOLDER --streams image,caption [--steps 1200] [--tokenizer-steps 600] [--n 200]
                           [--batch 64] [--seeds 0,1,2] [--json F]

All models are of one size, on the same data, with the same frozen tokenizers; a sample of a batch counts as
one unit of compute. The joint model learns every direction in `--steps`; a model of its own, in steps
divided by the number of directions, nothing but its direction: no other target, no joint and no
unconditional samples. The scores are the headline of each direction on held-out samples. A model is above
where its figure is larger, or smaller where errors are counted.
"""

import tempfile
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from statistics import fmean
from time import perf_counter

from figures import Figures, Target, arguments, over_seeds, publish, words

from modaloom import api
from modaloom.evaluation import ScoreRow, headlines
from modaloom.evaluation.headline import LOWER_IS_BETTER

JOINT, SEPARATE = "joint", "one for each"
ALONE = ("loom.mixture.joint_prob=0", "loom.mixture.uncond_prob=0")
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


def measured(
    folder: Path, *, streams: Sequence[str], steps: int, tokenizer_steps: int, n: int, batch: int, seed: int
) -> Figures:
    size, exact = f"training.loom.batch_size={batch}", "training.precision=fp32"
    how = {"preset": "tiny", "seed": seed, "samples": 1}
    rows, others, asked = list[ScoreRow](), list[ScoreRow](), directions(streams)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        base = out / "tokenizers"
        api.train(folder, out=base, streams=streams, steps=tokenizer_steps, settings=[size], **how)
        how |= {"tokenizers": base}
        began, settings = perf_counter(), [size, exact]
        joint = api.train(
            folder, out=out / JOINT, streams=streams, steps={"loom": steps}, settings=settings, **how
        )
        spent = {JOINT: perf_counter() - began, SEPARATE: 0.0}
        for given, want in asked:
            row, began = f"{given}->{want}", perf_counter()
            settings = [size, exact, *ALONE, f'loom.mixture.wanted=["{want}"]']
            few, name = {"loom": steps // len(asked)}, row.replace(">", "")
            own = api.train(
                folder, out=out / name, streams=[given, want], steps=few, settings=settings, **how
            )
            spent[SEPARATE] += perf_counter() - began
            for run, found in ((joint, rows), (own, others)):
                found += headlines(api.evaluate(run, folder, rows=[row], n=n, seed=seed))
    return {**figures_of(rows, others), **{f"{SECONDS}{name}": value for name, value in spent.items()}}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="pairs with a held-out split")
    parser.add_argument("--streams", type=words, required=True, help="two or more, such as image,caption")
    parser.add_argument("--steps", type=int, default=1200, help="of the joint model")
    parser.add_argument("--tokenizer-steps", type=int, default=600, help="of the tokenizers that all share")
    parser.add_argument("--n", type=int, default=200, help="samples a direction and split")
    parser.add_argument("--batch", type=int, default=64, help="samples of a step")
    options = parser.parse_args()
    columns = over_seeds(measured, options)
    targets = [Target(name, 0 if name == GAIN else None, ">") for name in columns["median"]]
    publish(targets, columns, options.json)


if __name__ == "__main__":
    main()
