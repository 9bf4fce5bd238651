"""The built-in world, and a whole run on it."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from modaloom.api.runs import Trained
from modaloom.api.training import TrainCallbacks, check_vacant, train
from modaloom.core.defaults import DEMO_MINUTES, DEMO_OUT, DEVICE, SEED, WORLD, WORLD_SAMPLES, WORLD_SIDE
from modaloom.core.errors import BadFolder, check_names
from modaloom.evaluation.parsed import read_facts
from modaloom.recipes.demo import DemoWorld
from modaloom.recipes.demo import demo as recipe
from modaloom.runs.store import CONFIG
from modaloom.training.accelerator import Accelerator
from modaloom.world.splits import NONE, scene
from modaloom.world.write import FACTS, write_world

NUM_TEST_SAMPLES = 100
"""Test samples that a direction is scored on: the demo has minutes."""


def world(
    folder: str | os.PathLike[str],
    *,
    n: int = WORLD_SAMPLES,
    seed: int = SEED,
    held_out: int | None = None,
    streams: str | Sequence[str] = (),
    world: str = WORLD,
    side: int = WORLD_SIDE,
    fixed: Mapping[str, str] = NONE,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write a procedural world as plain files, all streams or the named ones.

    `world`: one of WORLDS. `side`: of the pictures, pixels.
    `fixed`: factor → the one value that it has in every scene, such as motion → still.

    Raises `BadFolder` if the folder holds something, `BadValue`.
    """
    for done, total in write_world(
        folder,
        n,
        seed=seed,
        held_out=held_out,
        streams=check_names("streams", streams),
        world=world,
        side=side,
        fixed=fixed,
    ):
        progress(done, total)


def demo(
    *,
    out: str | os.PathLike[str] = DEMO_OUT,
    minutes: float = DEMO_MINUTES,
    seed: int = SEED,
    samples: int = NUM_TEST_SAMPLES,
    device: str = DEVICE,
    callbacks: TrainCallbacks | None = None,
    world_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Trained:
    """World, training, samples, scores, report. The world lies beside the run, in `<out>-world`.

    A demo that was stopped goes on when it is called again. `samples` are asked a direction and split.
    """
    size, path = DemoWorld(), Path(out)
    Accelerator(device)
    there = (path / CONFIG).exists()
    run = recipe()
    run = replace(run, seed=seed, training=replace(run.training, minutes=minutes))
    if not there:
        check_vacant(path)
    data = path.with_name(path.name + "-world")
    if not data.exists():
        world(
            data,
            n=size.samples,
            seed=seed,
            held_out=size.held_out,
            streams=size.streams,
            fixed=size.fixed,
            progress=world_progress,
        )
    elif not there:
        _check_seed(data, seed, size)
    config = None if there else run  # a demo that goes on keeps its own, whatever is asked
    return train(
        data, out=out, config=config, resume=True, device=device, samples=samples, callbacks=callbacks
    )


def _check_seed(folder: Path, seed: int, size: DemoWorld) -> None:
    """Raise `BadFolder` unless the demo's world in the folder is that of the seed."""
    said, due = read_facts(folder / FACTS), scene(seed, "train", 0, size.fixed).facts
    if not due.items() <= said.get("train/000000", {}).items():
        raise BadFolder(f"{folder} is not the world of seed {seed}; remove it, or name another --out")
