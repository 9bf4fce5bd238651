"""Training and generation beside other programs: quiet, with one core busy, with all of them.

    .venv/bin/python benchmarks/busy.py FOLDER [--minutes 1] [--run demo]

FOLDER is a world such as `modaloom world shapes --n 1000` writes. Prints a line a case: wall time of a
training of so many minutes, its steps, their number against the quiet one's on the fair share, and the time
of `modaloom generate`. A case in which nothing else runs is only quiet on a quiet machine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from modaloom.loom.config import LoomRunConfig
from modaloom.runs.store import RunFolder

HOG = "while True: pass"
CASES = 3
"""Calls of generate, of which the median counts."""


@contextmanager
def hogs(cores: int) -> Iterator[None]:
    """One program that never waits, on each of the first `cores` cores."""
    words = [sys.executable, "-c", HOG]
    children = [subprocess.Popen(["taskset", "-c", str(core), *words]) for core in range(cores)]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def seconds(*words: object) -> float:
    """Of a command line of modaloom that has to succeed."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "modaloom", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return time.perf_counter() - start


def training(folder: Path, minutes: float, place: Path) -> tuple[float, int]:
    """Seconds of training as its log has them, and steps of all stages."""
    seconds("train", folder, "--out", place, "--minutes", minutes, "--streams", "image,caption")
    run = RunFolder.open(place, LoomRunConfig)
    return max(line.get("seconds", 0.0) for line in run.metrics()), sum(run.run().training.steps.values())


def drawing(run: str, place: Path) -> float:
    """Median seconds of one `generate`."""
    given = ("--given", "caption=a small purple star at the top left", "--want", "image")
    return median(seconds("generate", run, *given, "--out", place / str(i)) for i in range(CASES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--run", default="demo", help="what generate draws with")
    parser.add_argument("--no-training", action="store_true")
    asked = parser.parse_args()
    cores, quiet = len(os.sched_getaffinity(0)), (0, 0.0)
    print("busy cores  seconds/budget  steps  / fair share  generate, s  / quiet")
    for busy in (0, 1, cores):
        fair = (cores - busy + busy / 2) / cores
        with tempfile.TemporaryDirectory() as temporary, hogs(busy):
            wall, steps = (
                (0.0, 0)
                if asked.no_training
                else training(asked.folder, asked.minutes, Path(temporary) / "run")
            )
            drawn = drawing(asked.run, Path(temporary))
        quiet = quiet if busy else (steps, drawn)
        share = steps / quiet[0] / fair if quiet[0] else 0.0
        print(
            f"{busy:>10} {wall / 60 / asked.minutes:>15.2f} {steps:>6} {share:>13.2f} {drawn:>12.1f} "
            f"{drawn / quiet[1]:>8.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
