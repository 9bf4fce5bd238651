"""Efficiency of two gloo processes of one thread beside one process of one thread, by steps of a second.

    python benchmarks/ranks.py DATA [--steps 200]

Both cores must be quiet. The batch is the same: efficiency is (seconds of one) / (2 · seconds of two).
Seconds are those of the median step, after a tenth of the steps.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch

import modaloom
from modaloom.api.callbacks import TrainCallbacks
from modaloom.training.loop import Step


def seconds(
    data: Path, out: Path, devices: int, steps: int | Mapping[str, int], settings: Sequence[str] = ()
) -> dict[str, float]:
    """Train the run `out`; stage → median seconds between two steps, after a tenth of them."""
    torch.set_num_threads(devices)  # divided among them
    ends: dict[str, list[float]] = {}

    def on_step(step: Step) -> None:
        ends.setdefault(step.stage, []).append(time.perf_counter())

    modaloom.train(
        data,
        out=out,
        preset="tiny",
        steps=steps,
        samples=1,
        devices=devices,
        settings=["training.checkpoint_seconds=1000000", "training.precision=fp32", *settings],
        callbacks=TrainCallbacks(on_step=on_step),
    )
    steps_of = {stage: np.diff(times[1 + len(times) // 10 :]) for stage, times in ends.items()}
    return {stage: median(found) for stage, found in steps_of.items() if found.size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    args = parser.parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores")
    with tempfile.TemporaryDirectory() as place:
        one, two = (seconds(args.data, Path(place) / f"{n}", n, args.steps) for n in (1, 2))
    for stage in one:
        shown = f"{1000 * one[stage]:.1f} ms alone, {1000 * two[stage]:.1f} ms of two"
        print(f"{stage}: efficiency {one[stage] / (2 * two[stage]):.2f} ({shown})")


if __name__ == "__main__":
    main()
