"""Writing of a world as files of the data contract, one folder per split, and `_world.jsonl`."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.core.json_text import to_json
from modaloom.data.atomic_io import new_folder
from modaloom.modalities import MODALITIES
from modaloom.world.rule import render_all
from modaloom.world.scene import SIDE
from modaloom.world.splits import NONE
from modaloom.world.worlds import SOLO, WORLDS, World

FACTS = "_world.jsonl"
"""One line per sample: key, split, world and the scene's facts. Ignored by readers for its underscore."""
SIDE_MULTIPLE = 8
"""Divides the side of images, so that derived images have whole pixels."""


def write_world(
    folder: str | os.PathLike[str],
    n: int,
    *,
    seed: int = 0,
    held_out: int | None = None,
    streams: Sequence[str] = (),
    world: str = SOLO.name,
    side: int = SIDE,
    fixed: Mapping[str, str] = NONE,
) -> Iterator[tuple[int, int]]:
    """Write a dataset. The folder appears when the last sample is written.

    Args:
        folder: to be made; must not exist, or be empty.
        n: training samples, at least 1.
        seed: of the world.
        held_out: samples of every other split, at least 1; None: n / 10, within 20–500.
        streams: names of streams; empty: all of the world but sounds and clips.
        world: a name in WORLDS.
        side: of the images, pixels: 32–512, a multiple of 8.
        fixed: factor → its value in every scene.

    Yields:
        (samples written, total).

    Raises:
        BadValue: for a value out of range or an unknown name.
        BadFolder: if the folder is not empty.
        WorkFailed: if it cannot be written.
    """
    check_range("n", n, 1)
    held_out = min(500, max(20, n // 10)) if held_out is None else held_out
    check_range("held_out", held_out, 1)
    _check_side(side)
    shown = WORLDS[check_choice("world", world, WORLDS)]
    usual = [name for name, rule in shown.streams.items() if rule.always]
    names = [check_choice("stream", name, shown.streams) for name in streams] or usual
    shown.check_fixed(fixed)
    counts = {split: n if split == "train" else held_out for split in shown.splits}
    jobs = [(split, index) for split, count in counts.items() for index in range(1, 1 + count)]
    with new_folder(folder) as root, (root / FACTS).open("w", encoding="utf-8") as facts:
        for done, (split, index) in enumerate(jobs, start=1):
            scene = replace(shown.scene(seed, split, index, fixed), side=side)
            key = f"{split}/{index:06d}"
            _write_sample(root, key, shown, scene, names)
            line = {"key": key, "split": split, "world": world, **scene.facts}
            facts.write(to_json(line) + "\n")
            yield done, len(jobs)


def _check_side(side: int) -> None:
    check_range("side", side, SIDE, 512)
    if side % SIDE_MULTIPLE:
        raise BadValue(
            f"side is {side}; it must be a multiple of {SIDE_MULTIPLE}, such as {SIDE} or {2 * SIDE}"
        )


def _write_sample(root: Path, key: str, world: World, scene: Any, names: Sequence[str]) -> None:
    (root / key).parent.mkdir(exist_ok=True)
    for name, value in render_all(world.streams, names, scene).items():
        modality = MODALITIES[world.streams[name].modality]
        modality.write(value, root / f"{key}.{name}.{modality.suffixes[0]}")
