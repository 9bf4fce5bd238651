"""Writes a world as plain files: the data contract's names in a folder per split, and `_world.jsonl`."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from modaloom.core.errors import BadFolder, check_range, choose
from modaloom.modalities import MODALITIES
from modaloom.world import STREAMS
from modaloom.world.rule import render_all
from modaloom.world.scene import Scene
from modaloom.world.splits import SPLITS, scene

FACTS = "_world.jsonl"
"""One line per sample: key, split, factors, asked, answer. Its name keeps it from being a sample."""


def write_world(
    folder: str | os.PathLike[str],
    n: int,
    *,
    seed: int = 0,
    held_out: int | None = None,
    streams: Sequence[str] = tuple(STREAMS),
) -> Iterator[tuple[int, int]]:
    """Write n training samples and `held_out` of every other split (default: n / 10, within 20..500).

    Yields (samples written, samples in all). The folder appears, whole, when the last sample is written.
    Raises `BadValue` and `BadFolder`.
    """
    check_range("n", n, 1)
    held_out = min(500, max(20, n // 10)) if held_out is None else held_out
    check_range("held_out", held_out, 1)
    names = [choose("stream", name, STREAMS) for name in streams]
    target = _vacant(Path(folder))
    jobs = [
        (split, index) for split in SPLITS for index in range(1, 1 + (n if split == "train" else held_out))
    ]
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        temporary.chmod(0o755)
        with (temporary / FACTS).open("w", encoding="utf-8") as facts:
            for done, (split, index) in enumerate(jobs, start=1):
                facts.write(
                    json.dumps(_write_sample(temporary, split, index, scene(seed, split, index), names))
                    + "\n"
                )
                yield done, len(jobs)
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _vacant(folder: Path) -> Path:
    """The absolute path, its parent made; refuses one that holds something."""
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadFolder(f"{folder} exists and is not empty; name a new folder or remove this one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def _write_sample(root: Path, split: str, index: int, shown: Scene, names: Sequence[str]) -> dict[str, str]:
    """Write the sample's files and return its line of facts."""
    key = f"{split}/{index:06d}"
    (root / split).mkdir(exist_ok=True)
    for name, value in render_all(STREAMS, names, shown).items():
        modality = MODALITIES[STREAMS[name].modality]
        modality.write(value, root / f"{key}.{name}.{modality.suffixes[0]}")
    return {"key": key, "split": split, **shown.facts}
