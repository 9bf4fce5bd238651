"""Where a new run may be, and what is left there of one that fails at its start."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modaloom.core.errors import BadRun, ModaloomError
from modaloom.data.atomic_io import NEW
from modaloom.runs.store import CONFIG, LOCK


def check_vacant(path: Path) -> None:
    """Raises `BadRun` unless `path` is free for a new run, or has only remains of one killed at its start."""
    if path.exists() and (
        not path.is_dir() or any(p.name not in (LOCK, NEW + CONFIG) for p in path.iterdir())
    ):
        raise BadRun(f"{path} exists and is not empty; choose another --out, or go on with a run by --resume")


@contextmanager
def undone(path: Path) -> Iterator[None]:
    """Removes a new run that fails with a `ModaloomError` before its first checkpoint."""
    try:
        yield
    except ModaloomError:
        if not (path / "checkpoints").exists():
            shutil.rmtree(path, ignore_errors=True)
        raise
