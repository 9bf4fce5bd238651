"""Modern Chinese → classical Chinese and back: captions of the synthetic world.

python benchmarks/chinese.py [--samples 4000] [--minutes 20] [--n 500] [--seeds 0,1,2] [--json figures.json]

A caption has many right translations, which are told by parsing: `exact` are sentences whose every slot is
right, `slots` the mean over the slots. On held-out scenes of known combinations (seen), and on combinations
of colour and shape that no training had (level1).
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from figures import Figures, Target, arguments, over_seeds, publish

from modaloom.evaluation.rows import ScoreRow

STREAMS = ("caption.zh", "caption.classical")
DIRECTIONS = [f"{given}->{want}" for given, want in (STREAMS, STREAMS[::-1])]
BOUNDS = {"exact": 0.9, "slot.mean": 0.98}
SPLITS = ("seen", "level1")
TARGETS = [
    *(Target(f"{name}, seen: {metric}", bound) for name in DIRECTIONS for metric, bound in BOUNDS.items()),
    *(Target(f"{name}, level1: {metric}") for name in DIRECTIONS for metric in BOUNDS),
    *(Target(f"{name}, {split}: exact, retrieval") for name in DIRECTIONS for split in SPLITS),
]


def from_rows(rows: Iterable[ScoreRow]) -> Figures:
    found: dict[str, float] = {}
    for row in rows:
        if row.row in DIRECTIONS and row.metric in BOUNDS and row.split in SPLITS:
            found[f"{row.row}, {row.split}: {row.metric}"] = row.value
            if row.metric == "exact" and row.retrieval is not None:
                found[f"{row.row}, {row.split}: exact, retrieval"] = row.retrieval
    return found


def measured(*, samples: int, minutes: float, n: int, seed: int) -> Figures:
    from modaloom import api

    with tempfile.TemporaryDirectory() as place:
        world, run = Path(place) / "world", Path(place) / "run"
        api.world(world, n=samples, seed=seed, held_out=n, streams=STREAMS)
        api.train(world, out=run, preset="tiny", minutes=minutes, seed=seed, samples=1)
        return from_rows(api.evaluate(run, world, rows=DIRECTIONS, n=n, seed=seed))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--samples", type=int, default=4000, help="scenes to train on")
    parser.add_argument("--minutes", type=float, default=20, help="of training, for each seed")
    parser.add_argument("--n", type=int, default=500, help="held-out captions of each split")
    options = parser.parse_args()
    publish(TARGETS, over_seeds(measured, options), options.json)


if __name__ == "__main__":
    main()
