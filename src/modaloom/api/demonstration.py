"""The synthetic world, and a complete run on it."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from modaloom.api.callbacks import TrainCallbacks, default_callbacks
from modaloom.api.places import check_vacant
from modaloom.api.runs import Trained
from modaloom.api.training import train
from modaloom.core.defaults import DEMO_MINUTES, DEMO_OUT, DEVICE, SEED, WORLD, WORLD_SAMPLES, WORLD_SIDE
from modaloom.core.errors import BadFolder, BadValue, check_names
from modaloom.evaluation.parsed import read_facts
from modaloom.recipes.demo import DemoWorld
from modaloom.recipes.demo import demo as recipe
from modaloom.runs.store import CONFIG
from modaloom.training.accelerator import Accelerator
from modaloom.world.splits import NONE, scene
from modaloom.world.write import FACTS, write_world

NUM_TEST_SAMPLES = 100
"""Default number of test samples per direction and split."""
NEEDED: Mapping[str, tuple[str, str]] = {"speech": ("espeakng_loader", "speech"), "video": ("av", "media")}
"""Stream → the module that it needs, and the extra that installs it."""


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
    """Generates a synthetic world as plain files.

    Args:
        folder: a new or empty folder.
        n: number of training samples.
        seed: seed of the scenes.
        held_out: number of samples of each other split, at least 1; None: n / 10, within 20–500.
        streams: names of streams; empty: all but sounds and clips.
        world: a name in WORLDS.
        side: side length of the images in pixels.
        fixed: factor → its value in every scene, such as motion → still.
        progress: called with the numbers of written and of all samples.

    Raises:
        BadFolder: the folder is not empty.
        BadValue: an argument out of its range.
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
    streams: str | Sequence[str] = (),
    seed: int = SEED,
    samples: int = NUM_TEST_SAMPLES,
    device: str = DEVICE,
    callbacks: TrainCallbacks | None = None,
    world_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Trained:
    """Generates a world in `<out>-world`, trains on it, evaluates and writes the report.

    Resumes an interrupted demo when called again.

    Args:
        out: the run folder.
        minutes: wall-clock budget of the training; ignored when resuming.
        streams: streams of the world; empty: image, caption, question and answer, and from 30 minutes on
            music, speech (with the extra `speech`) and video (with `media`).
        seed: seed of world and run.
        samples: number of test samples per direction and split.
        device: auto | cpu | cuda | mps.
        callbacks: callbacks of the training.
        world_progress: called with the numbers of written and of all samples of the world.

    Raises:
        BadFolder: `<out>-world` is not the world of the seed.
        ModaloomError: as `train`.
    """
    size, path = DemoWorld(), Path(out)
    chosen = tuple(check_names("streams", streams)) or _possible(size, minutes, callbacks)
    size = replace(size, streams=chosen)
    Accelerator(device)
    there = (path / CONFIG).exists()
    if there and streams:
        raise BadValue(f"{path} goes on with its own streams; leave out --streams, or give another --out")
    run = recipe(size.streams)
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
        _check_world(data, seed, size)
    config = None if there else run  # a resumed demo keeps its configuration
    return train(
        data, out=out, config=config, resume=True, device=device, samples=samples, callbacks=callbacks
    )


def _possible(size: DemoWorld, minutes: float, callbacks: TrainCallbacks | None) -> tuple[str, ...]:
    """The demo's streams but those that need an extra that is not installed, which is told."""
    found = size.streams_in(minutes)
    lacking = [name for name in found if name in NEEDED and find_spec(NEEDED[name][0]) is None]
    for name in lacking:
        told = f"the demo goes on without {name}; it needs pip install 'modaloom[{NEEDED[name][1]}]'"
        (callbacks or default_callbacks()).notify(told)
    return tuple(name for name in found if name not in lacking)


def _check_world(folder: Path, seed: int, size: DemoWorld) -> None:
    """Raises `BadFolder` unless the folder has the demo's world of the seed, with its streams."""
    if missing := [name for name in size.streams if not [*folder.glob(f"train/000001.{name}.*")]]:
        raise BadFolder(f"{folder} has no {', '.join(missing)}; remove it, or name another --out")
    said, due = read_facts(folder / FACTS), scene(seed, "train", 1, size.fixed).facts
    if not due.items() <= said.get("train/000001", {}).items():
        raise BadFolder(f"{folder} is not the world of seed {seed}; remove it, or name another --out")
