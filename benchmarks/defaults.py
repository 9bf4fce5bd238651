"""Default settings on three kinds of data: how many runs reach their target, and which fail.

python benchmarks/defaults.py [--minutes M] [--seeds 0,1,2,3,4] [--out RUNS]

The limits stand in LIMITS, the minutes of each kind of data in CASES. Every run is that of
`modaloom train FOLDER --minutes M`; runs that are in RUNS go on, and finished cases stay in
RUNS/defaults.json.
"""

import argparse
import runpy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import Any

import numpy as np
from figures import Figures, Target, arguments, by_seed, table
from kept import Kept
from numpy.typing import NDArray
from PIL import Image

from modaloom import api
from modaloom.core.errors import ModaloomError, WorkFailed
from modaloom.data.atomic_io import new_folder
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.evaluation import ScoreRow
from modaloom.evaluation.scores import scores
from modaloom.metrics.psnr import mse, psnr

IMAGE = "image"
READ, PICTURED, CODED = "image->text, exact", "caption->image / ceiling", "PSNR over that of k-means, dB"
CAPTIONED = "image->caption / ceiling"
LIMITS: Mapping[str, tuple[Target, ...]] = {
    "digits": (Target(READ, 0.95),),
    "world": (Target(PICTURED, 0.9), Target(CAPTIONED, 0.9)),
    "photographs": (Target(CODED, 0.0, ">"),),
}
"""Data → targets of a run: the mean slot on seen combinations of the world; for photographs, a PSNR of the
tokenizer above that of k-means codes at equal bits."""
SIDE, STRIDE = 32, 8
"""Pixels of a photograph's patch, and between two of the training patches."""
TILE = 4
"""Pixels of what k-means gives a code."""
EXAMPLES = Path(__file__).parents[1] / "examples"


def digits(folder: Path) -> None:
    """scikit-learn's handwritten digits."""
    runpy.run_path(str(EXAMPLES / "digits.py"))["write_digits"](folder)


def world(folder: Path) -> None:
    """Pictures and captions of the built-in world."""
    api.world(folder, n=8000, streams=("image", "caption"))


def photographs(folder: Path) -> None:
    """Patches of scikit-learn's two photographs: one trains, but for its foot; the other tests."""
    from sklearn.datasets import load_sample_image

    china, flower = load_sample_image("china.jpg"), load_sample_image("flower.jpg")
    low = len(china) - 2 * SIDE
    parts = {"train": (china[:low], STRIDE), "val": (china[low:], SIDE), "test": (flower, SIDE)}
    with new_folder(folder) as root:
        for split, (pixels, stride) in parts.items():
            (root / split).mkdir()
            for number, patch in enumerate(crops(pixels, SIDE, stride)):
                Image.fromarray(patch).save(root / split / f"{number:05d}.png")


def crops(pixels: NDArray[Any], side: int, stride: int) -> NDArray[Any]:
    """(H, W, 3) → (n, side, side, 3)."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (side, side), (0, 1))[::stride, ::stride]
    return windows.reshape(-1, 3, side, side).transpose(0, 2, 3, 1)


def read(rows: Sequence[ScoreRow], folder: Path, run: api.TrainedRun) -> Figures:
    """Words of held-out digits."""
    return {READ: _row(rows, "image->text", "exact").value}


def shown(rows: Sequence[ScoreRow], folder: Path, run: api.TrainedRun) -> Figures:
    """Mean slots on seen combinations, both ways."""
    both = {PICTURED: "caption->image", CAPTIONED: "image->caption"}
    found = {name: _row(rows, direction, "slot.mean") for name, direction in both.items()}
    return {name: row.value / (row.ceiling or 1) for name, row in found.items()}


def coded(rows: Sequence[ScoreRow], folder: Path, run: api.TrainedRun) -> Figures:
    """PSNR of the tokenizer on an unseen photograph, relative to k-means at equal bits."""
    index = open_folder(folder)
    reader, splits = Reader(index), index.splits or {}
    train, test = (
        [reader.read(s).streams[IMAGE] for s in index.samples if splits[s.key] == name]
        for name in ("train", "test")
    )
    model, true = run.model, _pixels(test)
    shape = model.streams[IMAGE].tokenizer.shape
    rebuilt = _pixels(model.decode(IMAGE, model.encode(IMAGE, test)))
    size = round(2 ** (shape.num_codes * log2(shape.codebook_size) / (SIDE // TILE) ** 2))
    ours, theirs = (psnr(mse(found, true)) for found in (rebuilt, k_means(_pixels(train), true, size)))
    return {CODED: ours - theirs, "PSNR, dB": ours, "PSNR of k-means, dB": theirs}


def k_means(train: NDArray[Any], test: NDArray[Any], size: int) -> NDArray[Any]:
    """Pictures (n, SIDE, SIDE, 3), each tile replaced by the nearest of `size` centres of training tiles."""
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(size, batch_size=4096, n_init=1, random_state=0).fit(_tiles(train))
    return _untiled(model.cluster_centers_[model.predict(_tiles(test))])


def _tiles(pictures: NDArray[Any]) -> NDArray[Any]:
    """(n, SIDE, SIDE, 3) → (tiles, TILE · TILE · 3)."""
    many = SIDE // TILE
    return pictures.reshape(-1, many, TILE, many, TILE, 3).swapaxes(2, 3).reshape(-1, TILE * TILE * 3)


def _untiled(tiles: NDArray[Any]) -> NDArray[Any]:
    """The inverse of `_tiles`."""
    many = SIDE // TILE
    return tiles.reshape(-1, many, many, TILE, TILE, 3).swapaxes(2, 3).reshape(-1, SIDE, SIDE, 3)


def _pixels(pictures: Sequence[Image.Image]) -> NDArray[np.float64]:
    """In 0..1."""
    return np.stack([np.asarray(picture.convert("RGB")) for picture in pictures]) / 255


def _row(rows: Sequence[ScoreRow], direction: str, metric: str) -> ScoreRow:
    """The first split's, which is the seen combinations' of a world."""
    return next(row for row in rows if (row.row, row.metric) == (direction, metric))


@dataclass(frozen=True)
class Case:
    """A kind of data: how it is written and how a run is measured."""

    write: Callable[[Path], None]
    measure: Callable[[Sequence[ScoreRow], Path, api.TrainedRun], Figures]
    minutes: float
    """Of training."""


CASES = {
    "digits": Case(digits, read, 2),
    "world": Case(world, shown, 5),
    "photographs": Case(photographs, coded, 2),
}


def attempt(options: argparse.Namespace, name: str, seed: int) -> Figures:
    """Train with defaults and measure; a failed run has no figures."""
    folder, case = options.out / name, CASES[name]
    if not folder.exists():
        case.write(folder)
    minutes = None if options.steps else options.minutes or case.minutes
    how = {"minutes": minutes, "steps": options.steps, "seed": seed, "samples": options.n}
    try:
        run = api.train(folder, out=options.out / f"{name}-{seed}", resume=True, **how)
        return case.measure(scores(run.path), folder, run)
    except (ModaloomError, WorkFailed) as error:
        print(f"{name}, seed {seed}: {error}")
        return {}


def failures(name: str, found: Mapping[int, Figures]) -> list[str]:
    """A sentence for every run that missed a limit."""
    return [
        f"{name}, seed {seed}: {target.name} is {figures.get(target.name, float('nan')):.3f}, not {target}"
        for seed, figures in found.items()
        for target in LIMITS[name]
        if not target.met(figures.get(target.name))
    ]


def report(name: str, found: Mapping[int, Figures]) -> str:
    """A kind of data: its share of runs that reach all limits, the table, the failures."""
    good = sum(all(target.met(run.get(target.name)) for target in LIMITS[name]) for run in found.values())
    names = dict.fromkeys(figure for run in found.values() for figure in run)
    limits = {target.name: target for target in LIMITS[name]}
    lines = [limits.get(figure, Target(figure)) for figure in {**limits, **names}]
    head = f"{name}: {good} of {len(found)} runs reach their score"
    return "\n".join([head, "", table(lines, by_seed(found)), "", *failures(name, found)])


def main() -> None:
    parser = arguments(__doc__)
    parser.set_defaults(seeds=[0, 1, 2, 3, 4])
    parser.add_argument("--minutes", type=float, help="of every training, instead of its own")
    parser.add_argument("--steps", type=int, help="of every stage, instead of minutes")
    parser.add_argument("--n", type=int, default=500, help="samples scored a direction and split")
    parser.add_argument("--data", nargs="+", choices=CASES, default=[*CASES])
    parser.add_argument("--out", type=Path, default="runs/defaults-benchmark", help="where data and runs go")
    run(parser.parse_args())


def run(options: argparse.Namespace) -> None:
    """Train, measure and print."""
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {"minutes": options.minutes, "steps": options.steps, "n": options.n}
    kept = Kept(options.json or options.out / "defaults.json", settings)
    for name in options.data:
        found = {}
        for seed in options.seeds:
            found[seed] = kept.case(f"{name}, seed {seed}", lambda: attempt(options, name, seed))  # noqa: B023
        print(report(name, found), flush=True)


if __name__ == "__main__":
    main()
