"""Efficiency of two gloo processes of one thread beside one process of one thread, by steps of a second.

    python benchmarks/ranks.py DATA [--steps 200]

Both cores must be quiet. The batch is the same: efficiency is (seconds of one) / (2 · seconds of two).
Seconds are those of the median step, after a tenth of the steps.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

import modaloom
from modaloom.api.callbacks import TrainCallbacks
from modaloom.training.loop import Step


def seconds(data: Path, devices: int, steps: int) -> dict[str, float]:
    """Stage → median seconds between two steps."""
    torch.set_num_threads(devices)  # divided among them
    ends: dict[str, list[float]] = {}

    def on_step(step: Step) -> None:
        ends.setdefault(step.stage, []).append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        modaloom.train(
            data,
            out=Path(folder) / "run",
            preset="tiny",
            steps=steps,
            samples=1,
            devices=devices,
            settings=["training.checkpoint_seconds=1000000", "training.precision=fp32"],
            callbacks=TrainCallbacks(on_step=on_step),
        )
    skipped = max(1, steps // 10)
    return {
        stage: median(after - before for before, after in zip(times[skipped:], times[skipped + 1 :]))
        for stage, times in ends.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    args = parser.parse_args()
    print(f"{len(os.sched_getaffinity(0))} cores")
    one, two = (seconds(args.data, devices, args.steps) for devices in (1, 2))
    for stage in one:
        shown = f"{1000 * one[stage]:.1f} ms alone, {1000 * two[stage]:.1f} ms of two"
        print(f"{stage}: efficiency {one[stage] / (2 * two[stage]):.2f} ({shown})")


if __name__ == "__main__":
    main()
