"""Recursive listing of regular files; anything else is reported, and link cycles are detected."""

import os
import stat
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from modaloom.data.names import is_ignored

UNREADABLE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories that no name may have: control characters, line ends, bytes that are not UTF-8. Spaces
of any width and joiners are part of the names of screenshots and emoji."""


@dataclass(frozen=True)
class Problem:
    """A file or folder that was left out, with the reason."""

    path: str
    """Relative to the dataset's folder, with slashes."""
    reason: str


def walk_files(root: Path) -> Iterator[Path | Problem]:
    """Files, breadth first, sorted by name; links are followed, each folder is read once."""
    seen: set[tuple[int, int]] = set()
    folders = [root]
    for folder in folders:
        for found in _list(root, folder, seen):
            if isinstance(found, Path) and found.is_dir():
                folders.append(found)
            else:
                yield found


def _list(root: Path, folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path | Problem]:
    try:
        facts = folder.stat()
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield make_problem(root, folder, f"cannot be read ({error.strerror})")
        return
    if (facts.st_dev, facts.st_ino) in seen:
        yield make_problem(root, folder, "is a link to a folder that is already included")
        return
    seen.add((facts.st_dev, facts.st_ino))
    for path in [folder / name for name in names if not is_ignored(name)]:
        reason = _reason(path)
        yield path if reason is None else make_problem(root, path, reason)


def _reason(path: Path) -> str | None:
    """The reason why a path is neither a folder nor a readable file; None if it is."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if any(unicodedata.category(character) in UNREADABLE for character in path.name):
        return "has a name that is not UTF-8, or has control characters"
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        return "is not a regular file"
    return None if os.access(path, os.R_OK) else "cannot be read (Permission denied)"


def make_problem(root: Path, path: Path, reason: str) -> Problem:
    """A problem with a printable path, relative to `root`."""
    shown = os.fsencode(path.relative_to(root).as_posix()).decode("utf-8", "replace")
    return Problem(shown, reason)


def format_problems(problems: Collection[Problem], most: int = 10) -> str:
    """One line for each of the first `most` problems, and the number of the others."""
    lines = [f"  {one.path}: {one.reason}" for one in islice(problems, most)]
    more = len(problems) - len(lines)
    return "\n".join([*lines, f"  … and {more:,} more"] if more else lines)
