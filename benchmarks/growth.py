"""Steps a second and peak memory of the presets, and their growth with the side of the pictures.

python benchmarks/growth.py [--presets tiny small base] [--sides 32 64 128 256] [--json FILE]

Each case is a few training steps of the image tokenizer and of the Loom, in a process of its own, on pictures
of noise with a caption. A code stands for as many pixels as in the preset, so that the number of codes grows
with the area. Batches have as many samples as a training's. A preset is not tried on larger pictures after a
step of more than `--patience` seconds.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from figures import Figures, Target, publish
from memory import in_child, peak
from PIL import Image

NUM_PICTURES, WARMUP_STEPS, TIMED_STEPS = 80, 1, 3
STAGES = ("image", "loom")
RATE, MEMORY, BATCH = "{}: steps/s", "{}: peak memory, GB", "{}: samples a step"
TARGETS = [Target(name.format(stage)) for stage in STAGES for name in (RATE, BATCH, MEMORY)]


def write(folder: Path, side: int) -> None:
    """Pictures of noise, each with a caption."""
    random = np.random.default_rng(0)
    folder.mkdir()
    for i in range(NUM_PICTURES):
        pixels = random.integers(0, 256, (side // 4, side // 4, 3), np.uint8)
        Image.fromarray(pixels).resize((side, side)).save(folder / f"{i:03d}.png")
        (folder / f"{i:03d}.txt").write_text(" ".join(random.choice(["red", "green", "blue"], 5)))


def measured(preset: str, side: int, folder: Path, stage: str) -> dict[str, float]:
    """Seconds a step, samples a step and peak memory of a stage."""
    from modaloom.data.folder import open_folder
    from modaloom.loom.config import PRESETS
    from modaloom.loom.trainer import LoomTrainer
    from modaloom.runs.config_io import override
    from modaloom.runs.schedule import trapezoid
    from modaloom.runs.store import RunFolder
    from modaloom.training.accelerator import Accelerator
    from modaloom.training.loop import Training

    run = PRESETS[preset]()
    stride = run.data.limits_of("image").max_side // run.tokenizer_of("image", "image").options.code_grid
    settings = [f"data.limits.image.max_side={side}", f"tokenizers.image.code_grid={side // stride}"]
    with RunFolder.create(folder.parent / "run", override(run, settings)) as place:
        trainer = LoomTrainer(place, open_folder(folder), Accelerator("auto"), notify=print)
        plan = trainer.plans()[STAGES.index(stage)].build()
        training = Training(
            plan, trainer.accelerator, trapezoid(100, warmup=0.5, decay=0.5), seed=0, ema=0.99
        )
        for step in range(WARMUP_STEPS + TIMED_STEPS):
            if step == WARMUP_STEPS:
                start = time.perf_counter()
            training.advance()
        seconds = (time.perf_counter() - start) / TIMED_STEPS
    return {
        RATE.format(stage): 1 / seconds,
        BATCH.format(stage): plan.size,
        MEMORY.format(stage): peak() / 1000,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presets", nargs="+", default=["tiny", "small", "base"])
    parser.add_argument("--sides", nargs="+", type=int, default=[32, 64, 128, 256])
    parser.add_argument("--patience", type=float, default=20, help="seconds a step")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    asked = parser.parse_args()
    columns: dict[str, Figures] = {}
    for preset in asked.presets:
        for side in asked.sides:
            figures: dict[str, float] = {}
            for stage in STAGES:
                with tempfile.TemporaryDirectory() as temporary:
                    write(Path(temporary) / "data", side)
                    figures |= in_child(measured, preset, side, Path(temporary) / "data", stage)
            columns[f"{preset}, {side} px"] = figures
            publish(TARGETS, columns, asked.json)
            if min(figures[RATE.format(stage)] for stage in STAGES) < 1 / asked.patience:
                break


if __name__ == "__main__":
    main()
