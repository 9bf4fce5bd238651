"""Files that survive a kill, a power cut and a full disk.

Write beside the target, fsync, rename, fsync the folder (Pillai et al. 2014, "All File Systems Are Not
Created Equal"): a reader sees the old content or the new, never a part. A crash leaves only names that
`sweep` knows.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from modaloom.core.errors import WorkFailed
from modaloom.core.json_text import to_json

NEW, OLD = ".new-", ".old-"
"""Prefixes: being written or being removed; moved aside while its successor takes its name."""


def make_folder(folder: Path) -> None:
    """Like `mkdir -p`, with every new name on the disk. Raises `OSError`."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir()
        _sync(folder.parent)


def encode(value: Any) -> bytes:
    """Indented JSON with a final newline, UTF-8."""
    return (to_json(value, indent=2) + "\n").encode()


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON. Raises `WorkFailed`."""
    write_file(path, encode(value))


def write_file(path: Path, data: bytes) -> None:
    """Write a file. Raises `WorkFailed`; what was there before is then whole."""
    with _replacing(path) as new:
        _write(new, data)


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files, all or nothing. Raises `WorkFailed`; what was there before is then whole."""
    with _replacing(path) as new:
        new.mkdir()
        for name, data in files.items():
            _write(new / name, data)
        _sync(new)
        if path.exists():
            os.replace(path, path.with_name(OLD + path.name))


def remove_folder(path: Path) -> None:
    """Remove a folder so that no crash leaves a part of it under its name."""
    new = path.with_name(NEW + path.name)
    _remove(new)
    os.replace(path, new)
    _remove(new)


def sweep(folder: Path) -> None:
    """Remove what a crash left; content that was moved aside returns. Only for the run's one writer."""
    for left in folder.glob(NEW + "*"):
        _remove(left)
    for left in folder.glob(OLD + "*"):
        target = left.with_name(left.name.removeprefix(OLD))
        if target.exists():
            _remove(left)
        else:
            os.replace(left, target)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A free name beside `path` whose content takes its place."""
    new = path.with_name(NEW + path.name)
    try:
        make_folder(path.parent)
        _remove(new)
        yield new
        os.replace(new, path)
        _sync(path.parent)
    except OSError as error:
        with suppress(OSError):
            sweep(path.parent)
        raise WorkFailed(
            f"{path} could not be written ({error.strerror or error}); what was there before is whole"
        ) from error
    with suppress(OSError):  # it is only litter, and `sweep` knows it
        _remove(path.with_name(OLD + path.name))


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
