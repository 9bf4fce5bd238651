"""A small run, and what adapts it."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import modaloom.api as modaloom
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.run import TrainedRun
from modaloom.runs.config_io import override

SETTINGS = (
    *("tokenizers.image.code_grid=2", "tokenizers.image.widths=[8,8]", "tokenizers.image.latent_dim=4"),
    *("tokenizers.text.vocab_size=300", "loom.width=16", "loom.num_layers=1", "loom.num_heads=2"),
    *("training.precision=fp32", "loom.sampling.steps=4"),
)
COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200), "green": (30, 200, 30)}


def pairs(root: Path, n: int, *, sizes: bool = False, words: bool = True) -> Path:
    """Pictures of one colour with its name; with `sizes` a further stream."""
    random = np.random.default_rng(n)
    root.mkdir()
    for i in range(n):
        name = [*COLOURS][random.integers(len(COLOURS))]
        noise = random.integers(-20, 20, (8, 8, 3))
        Image.fromarray((np.array(COLOURS[name]) + noise).clip(0, 255).astype(np.uint8)).save(
            root / f"{i:02d}.png"
        )
        if words:
            (root / f"{i:02d}.txt").write_text(name)
        if sizes:
            (root / f"{i:02d}.size.txt").write_text("small" if i % 2 else "large")
    return root


def trained(root: Path) -> TrainedRun:
    """A run on 60 pairs."""
    config = override(LoomRunConfig(), SETTINGS)
    return modaloom.train(pairs(root / "data", 60), out=root / "run", steps=40, config=config, samples=4)


def adapted(base: TrainedRun, folder: Path, out: Path, said: list[str], **options: Any) -> TrainedRun:
    callbacks = modaloom.TrainCallbacks(notify=said.append)
    return modaloom.train(folder, out=out, start=base.path, samples=4, callbacks=callbacks, **options)
