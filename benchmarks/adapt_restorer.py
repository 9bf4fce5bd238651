"""Super-resolution ×2 of a kind of pictures that a run has not seen: adapted, from scratch, and as it is.

python benchmarks/adapt_restorer.py [--kind retina] [--source-steps 1000] [--steps 200] [--seeds 0,1,2]

A run learns the other photographs (`photographs.py`). Five squares of the photograph of the new kind are the
training data of the adapted and the new run, for as many steps, with three seeds; others are scored: dB of
the posterior mean over bicubic interpolation, on their central 96² pixels. Steps instead of minutes, so that
other programs do not count; 200 are about a minute of one core. Needs `pip install 'modaloom[photographs]'`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import photographs
from figures import Figures, Target, arguments, by_seed, publish
from PIL import Image

import modaloom
from modaloom.core.rng import generator
from modaloom.transforms.crop import randint_below

SIDE, LEARNED, JUDGED = 192, 5, 12
"""Pixels of a square; squares that are learned from, and at most scored."""
FLAT = 4.0
"""Standard deviation, in levels, below which a square shows nothing."""
TASK = "superres"


def squares(path: Path) -> list[Image.Image]:
    """The squares of a photograph that show something, in an order that depends on nothing but it."""
    picture = Image.open(path).convert("RGB")
    columns, rows = (side // SIDE for side in picture.size)
    cut = [
        picture.crop((SIDE * x, SIDE * y, SIDE * (x + 1), SIDE * (y + 1)))
        for y in range(rows)
        for x in range(columns)
    ]
    shown, random = [one for one in cut if np.asarray(one).std() > FLAT], generator(0, "squares")
    return [shown.pop(randint_below(len(shown), random)) for _ in range(len(shown))]


def write_kind(path: Path, folder: Path) -> Path:
    """A data folder of a photograph's squares."""
    for i, square in enumerate(squares(path)[: LEARNED + JUDGED]):
        place = folder / ("train" if i < LEARNED else "test") / f"{i:02d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        square.save(place)
    return folder


def write_source(kind: Path, folder: Path) -> Path:
    """A data folder of the other photographs."""
    (folder / "train").mkdir(parents=True)
    for path in photographs.TRAIN:
        if path != kind:
            shutil.copyfile(path, folder / "train" / path.name)
    return folder


def gain(run: Any, folder: Path) -> tuple[float, float]:
    """dB over bicubic interpolation, of the run and of a linear filter fitted to the squares."""
    (row,) = (row for row in modaloom.evaluate(run, folder) if row.metric == "psnr")
    return row.value - row.floor, row.baseline - row.floor


def measure(source: Any, folder: Path, out: Path, steps: int, seed: int) -> Iterator[tuple[str, float]]:
    """(Name of a figure, value) of one seed of the trainings on a kind."""
    found, linear = gain(source, folder)
    yield "a linear filter of its squares", linear
    yield "the run as it is", found
    for name, start in {"from scratch": {"task": TASK}, "adapted": {"start": source.path}}.items():
        run = modaloom.train(folder, out=out / name, steps=steps, seed=seed, samples=1, **start)
        yield name, gain(run, folder)[0]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--kind", default="retina", help="name of a photograph")
    parser.add_argument("--source-steps", type=int, default=1000, help="of the run that is adapted")
    parser.add_argument("--steps", type=int, default=200, help="of its adaption, and from scratch")
    options = parser.parse_args()
    path, figures = {path.stem: path for path in photographs.TRAIN}[options.kind], dict[int, Figures]()
    with TemporaryDirectory() as place:
        root = Path(place)
        data, folder = write_source(path, root / "source"), write_kind(path, root / "kind")
        source = modaloom.train(data, out=root / "run", task=TASK, steps=options.source_steps, samples=1)
        for seed in options.seeds:
            figures[seed] = dict(measure(source, folder, root / str(seed), options.steps, seed))
            publish([Target(name) for name in figures[seed]], by_seed(figures), options.json)


if __name__ == "__main__":
    main()
