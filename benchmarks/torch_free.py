"""Sampling from the bundled run without torch, beside torch: processor time of one thread each.

Run: OMP_NUM_THREADS=1 python benchmarks/torch_free.py
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

import modaloom

CAPTION = "a small purple star at the top left"
REPEATS = 5


def seconds(work: Callable[[], Any]) -> float:
    """Median processor time of the work, after a first run that is not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return median(times)


def main() -> None:
    """Prints a line for each direction and number of samples."""
    torch.set_num_threads(1)
    run: Any = modaloom.load("demo")
    with tempfile.TemporaryDirectory() as place:
        folder = modaloom.export("demo", out=Path(place) / "onnx", format="onnx")
        sys.path.insert(0, str(folder))
        import sample  # the exported program

        model = sample.Model(folder, threads=1)
        picture = run.generate({"caption": CAPTION}, "image", n=1)[0]["image"]
        packed = run.model.streams["image"].tokenizer.prepare(picture)
        directions = {
            "image": ({"caption": CAPTION}, {"caption": CAPTION}),
            "caption": ({"image": packed}, {"image": picture}),
        }
        for want, (ours, theirs) in directions.items():
            for n in (1, 16):
                a = seconds(lambda: model.generate(ours, [want], n=n, seed=0))  # noqa: B023
                b = seconds(lambda: run.generate(theirs, want, n=n, seed=0))  # noqa: B023
                print(f"-> {want}, n = {n}: {a:.3f} s without torch, {b:.3f} s with it, ratio {a / b:.2f}")


if __name__ == "__main__":
    main()
