"""Files and folders that a caller names → the values' files, each with a name for what is made of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from modaloom.core.errors import BadFolder, BadValue, bounded
from modaloom.data.names import split_suffix
from modaloom.data.notices import Notify
from modaloom.data.walk import Problem, walk_files
from modaloom.modalities.base import Modality


def named_files(paths: Sequence[Path], modality: Modality, notify: Notify) -> dict[str, Path]:
    """Name → file: a file's stem; of those in and under a folder, their place there without the suffix.

    Where a folder has a file of the modality's own kind and others of its name, such as the picture beside a
    clip, the others are left out. `notify` gets what is left out of a folder.

    Raises:
        BadValue: two files of one name.
        BadFolder: a folder without a file that the modality reads.
    """
    found: dict[str, Path] = {}
    for name, path in _named(paths, modality, notify):
        if name in found:
            raise BadValue(
                f"two inputs are named {name} ({found[name]}, {path}); restore them into folders of their own"
            )
        found[name] = path
    return found


def _named(paths: Sequence[Path], modality: Modality, notify: Notify) -> Iterator[tuple[str, Path]]:
    for path in paths:
        if path.is_dir():
            yield from _inside(path, modality, notify)
        else:
            yield split_suffix(path.name)[0] or path.name, path


def _inside(folder: Path, modality: Modality, notify: Notify) -> Iterator[tuple[str, Path]]:
    others, suffixes = list[str](), (*modality.suffixes, *modality.reads)
    named = defaultdict[str, list[Path]](list)
    for found in walk_files(folder):
        path = folder / found.path if isinstance(found, Problem) else found
        place = path.relative_to(folder)
        stem, suffix = split_suffix(path.name)
        if suffix in suffixes:
            named[place.with_name(stem).as_posix()].append(path)
        else:
            others.append(f"{found.path}: {found.reason}" if isinstance(found, Problem) else place.as_posix())
    if not named:
        ends = " ".join(f".{suffix}" for suffix in suffixes)
        raise BadFolder(f"{folder} has no {modality.name} files; give one with files that end in {ends}")
    for name, paths in named.items():
        own = [path for path in paths if split_suffix(path.name)[1] in modality.suffixes] or paths
        yield from ((name, path) for path in own)
        others += [path.relative_to(folder).as_posix() for path in paths if path not in own]
    if others:
        notify(f"left out of {folder}, {len(others):,} that are no {modality.name} files: {bounded(others)}")
