"""Files and folders that survive a kill, a power cut and a full disk: the one way of writing anything.

Write beside the target, fsync, rename, fsync the folder (Pillai et al. 2014, "All File Systems Are Not
Created Equal"): a reader sees the old content or the new, never a part. An error or Ctrl-C leaves nothing,
a crash only names that `sweep` knows.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from modaloom.core.errors import BadFolder, WorkFailed
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
    with new_file(path) as file:
        file.write(data)


def write_output(path: Path, data: bytes) -> None:
    """The same for a name that a user gives: a link keeps its place, a pipe or device is written into."""
    if path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        write_file(path.resolve(), data)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the name `path` when it is whole and on the disk, or never. Raises `WorkFailed`."""
    with _replacing(path) as new, new.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of files, all or nothing. Raises `WorkFailed`; what was there before is then whole."""
    with _replacing(path) as new:
        new.mkdir()
        for name, data in files.items():
            _write(new / name, data)
        _sync(new)
        if path.exists():
            os.replace(path, path.with_name(OLD + path.name))


def check_new(folder: Path) -> None:
    """Raise `BadFolder` if the folder exists and is not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadFolder(f"{folder} exists and is not empty; name a new folder or remove this one")


@contextmanager
def new_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its name at the end, or vanishes on any error.

    Raises `BadFolder` if `folder` exists and is not empty, `WorkFailed` if it cannot be written.
    """
    target = Path(folder).absolute()
    check_new(target)
    with _replacing(target, unique=True) as temporary:
        temporary.mkdir(0o755)
        yield temporary
        os.sync()  # for 3,000 small files 0.1 s, where an fsync for each takes 11


@contextmanager
def stoppable_folder(folder: str | os.PathLike[str], noun: str, count: Callable[[], int]) -> Iterator[Path]:
    """A `new_folder` whose files are kept if the work is stopped: by Ctrl-C, or by closing its generator.

    Its files must be whole at any time, see `all_or_none`; without any, it vanishes. The `KeyboardInterrupt`
    that leaves it says that `count()` of the `noun` are kept. Other errors leave nothing.
    """
    stop: BaseException | None = None
    try:
        with new_folder(folder) as root:
            try:
                yield root
            except (KeyboardInterrupt, GeneratorExit) as error:
                if not any(path.is_file() for path in root.rglob("*")):
                    raise
                stop = error
        if stop is not None:
            raise stop
    except KeyboardInterrupt as error:
        there = Path(folder).is_dir() and any(Path(folder).iterdir())
        kept = f"{count():,} finished {noun} are in {folder}" if there else f"no finished {noun} are kept"
        raise KeyboardInterrupt(kept) from error


@contextmanager
def all_or_none(*paths: Path) -> Iterator[None]:
    """The files that the block writes are removed if it fails or is stopped."""
    try:
        yield
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise


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
        _restore(left)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@contextmanager
def _replacing(path: Path, *, unique: bool = False) -> Iterator[Path]:
    """A free name beside `path` whose content takes its place; nobody else's with `unique`."""
    new = path.with_name(NEW + path.name)
    try:
        make_folder(path.parent)
        if unique:
            new = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        _remove(new)
        yield new
        os.replace(new, path)
        _sync(path.parent)
    except BaseException as error:
        _undo(path, new)
        if not isinstance(error, OSError):
            raise
        raise WorkFailed(
            f"{path} could not be written ({error.strerror or error}); what was there before is whole"
        ) from error
    with suppress(OSError):  # it is only litter, and `sweep` knows it
        _remove(path.with_name(OLD + path.name))


def _undo(path: Path, new: Path) -> None:
    """Remove what is unfinished; what was moved aside returns."""
    with suppress(OSError):
        _remove(new)
    with suppress(OSError):
        _restore(path.with_name(OLD + path.name))


def _restore(old: Path) -> None:
    """Content that was moved aside takes its name again, unless a successor has it."""
    target = old.with_name(old.name.removeprefix(OLD))
    if target.exists():
        _remove(old)
    elif old.exists():
        os.replace(old, target)


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
