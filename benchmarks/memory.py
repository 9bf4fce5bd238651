"""Peak memory of training, by number of samples and for large pictures.

python benchmarks/memory.py [--parts pairs restored large crops] [--numbers 1000 10000 100000] [--json FILE]

`pairs` and `restored` train a Loom and a Restorer on as many small pictures as `--numbers` says, `large` and
`crops` on a few of 6 megapixels. Every case is two steps in a process of its own; its peak is taken after
training, and at its end, with scores, samples and report. Small samples are written once per number: 100,000
take minutes.
"""

import argparse
import csv
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from figures import Target, publish
from PIL import Image

WORDS = ("red", "green", "blue", "black", "white")
SMALL, LARGE = (16, 16), (3000, 2000)
"""Width and height."""
STEPS, SCORED = 2, 20
TARGETS = [Target("training, MB", 2000, "≤"), Target("with scores, MB", 2000, "≤")]


@dataclass(frozen=True)
class Case:
    """A kind of training."""

    size: tuple[int, int]
    suffix: str
    options: dict[str, Any]
    """Of `modaloom.train`."""


LOOM: dict[str, Any] = {"settings": ["loom.num_layers=1", "loom.width=64"]}
CASES = {
    "pairs": Case(SMALL, "png", LOOM),
    "restored": Case(SMALL, "png", {"task": "denoise", "streams": "image"}),
    "large": Case(LARGE, "jpg", LOOM),
    "crops": Case(LARGE, "jpg", {"task": "superres", "streams": "image"}),
}


def write(folder: Path, n: int, case: Case) -> None:
    """Pictures of noise and metadata.csv with a caption of each."""
    random, (width, height) = np.random.default_rng(0), case.size
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "caption"])
        for i in range(n):
            coarse = random.integers(0, 256, (height // 4, width // 4, 3), np.uint8)
            name = f"{i:06d}.{case.suffix}"
            Image.fromarray(coarse).resize(case.size).save(folder / name)
            table.writerow([name, " ".join(random.choice(WORDS, 3))])


def peak() -> float:
    """MB of resident memory of this process, at most so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measured(folder: Path, out: Path, options: dict[str, Any]) -> dict[str, float]:
    """Trains; returns the peaks of this process."""
    import modaloom

    found: dict[str, float] = {}
    callbacks = modaloom.TrainCallbacks(on_step=lambda step: found.update({"training, MB": peak()}))
    modaloom.train(folder, out=out, steps=STEPS, samples=SCORED, callbacks=callbacks, **options)
    return {**found, "with scores, MB": peak()}


def in_child(function: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """In a new process, which this one, being small, does not add to."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=CASES, default=[*CASES])
    parser.add_argument("--numbers", nargs="+", type=int, default=[1000, 10_000, 100_000])
    parser.add_argument("--pictures", type=int, default=12, help="number of large pictures")
    parser.add_argument(
        "--set", nargs="+", default=[], help="settings of all cases, such as training.workers=2"
    )
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    columns: dict[str, dict[str, float]] = {}
    for part in options.parts:
        case = CASES[part]
        for n in options.numbers if case.size == SMALL else [options.pictures]:
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary) / "data"
                folder.mkdir()
                write(folder, n, case)
                given = {**case.options, "settings": [*case.options.get("settings", []), *options.set]}
                columns[f"{part} {n:,}"] = in_child(measured, folder, Path(temporary) / "run", given)
    publish(TARGETS, columns, options.json, judged=columns)


if __name__ == "__main__":
    main()
