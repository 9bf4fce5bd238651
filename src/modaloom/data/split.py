"""Train, validation and test splits: from folders, or by a hash that keeps groups together."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from modaloom.core.errors import BadFile, BadFolder, BadValue
from modaloom.core.rng import derive
from modaloom.core.types import Sample
from modaloom.data.collected import Source
from modaloom.data.folder import Folder
from modaloom.data.reader import load
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.modalities.files import File
from modaloom.modalities.record import whole

SPLIT_FRACTIONS = {"train": 0.8, "val": 0.1, "test": 0.1}


def split(folder: Folder, *, by: str | None = None, seed: int = 0) -> dict[str, str]:
    """Key → split.

    If the folders fix the splits, those; otherwise groups are hashed into `SPLIT_FRACTIONS`, so that adding
    samples does not move others. `by` defines the groups: `key` (every sample is its own, but for what a
    table joins), `sample` (without that exception), `folder`,
    STREAM.FIELD of a record stream or of the headers of files (PatientID of DICOM), STREAM of a text or a
    record of one column, or a regular expression searched in the key (its first group, if it has one). Values
    are the same group however they are written: 7 and 7.0, and with white space around them. Raises
    `BadValue` for a `by` that does not fit the folder.
    """
    if folder.splits is not None:
        if by is not None:
            raise BadValue(f"split by {by!r}: the folders of {folder.path} fix the splits; leave it out")
        return dict(folder.splits)
    group = _grouping(folder, by or "key")
    groups = {sample.key: group(sample) for sample in folder.samples}
    split_of = _hashed(set(groups.values()), seed)
    return {key: split_of[name] for key, name in groups.items()}


def _hashed(groups: set[str], seed: int) -> dict[str, str]:
    """Group → split; with three or more groups, no split is empty."""
    position = {group: derive(seed, "split", group) / 2**63 for group in groups}
    split_of = {group: _split_at(position[group]) for group in groups}
    counts = Counter(split_of.values())
    for name in [
        name for name in SPLIT_FRACTIONS if name not in counts and len(groups) >= len(SPLIT_FRACTIONS)
    ]:
        movable = [group for group in groups if counts[split_of[group]] > 1]
        moved = max(movable, key=position.__getitem__)
        counts[split_of[moved]] -= 1
        split_of[moved] = name
    return split_of


def _split_at(position: float) -> str:
    """The split at a position in [0, 1) of the concatenated fractions."""
    for name, fraction in SPLIT_FRACTIONS.items():
        if position < fraction:
            return name
        position -= fraction
    return name


def _grouping(folder: Folder, by: str) -> Callable[[Sample], str]:
    if by == "sample":
        return lambda sample: sample.key
    if by == "key":
        return lambda sample: folder.groups.get(sample.key, sample.key)
    if by == "folder":
        return lambda sample: str(PurePosixPath(sample.key).parent)
    stream, _, column = (by, "", "") if by in folder.modality_of else by.rpartition(".")
    if stream in folder.modality_of:
        return lambda sample: _field(folder, sample, stream, column)
    return _matching(by)


def _field(folder: Folder, sample: Sample, stream: str, column: str) -> str:
    """A column of a record, or without one a text or the only column there is, as a group's name."""
    by, source = f"{stream}.{column}" if column else stream, sample.streams.get(stream)
    try:
        row = _row(folder.modality_of[stream], source, column) if source is not None else {}
    except BadFile as error:
        raise BadFolder(f"{error}; it is needed to split by {by}") from error
    cells = row if isinstance(row, Mapping) else {}
    value = row if isinstance(row, str) and not column else cells.get(column)
    if not column and len(cells) == 1:
        (value,) = cells.values()
    if value is None:
        raise BadValue(f"sample {sample.key!r} has no {by}; add it or choose another split-by")
    return str(whole(value)).strip()


def _row(modality: str, source: Source, column: str) -> Value:
    """A record, or the column as a field of a file's header."""
    fields = MODALITIES[modality].fields
    if column and fields is not None and isinstance(source, File):
        return fields(source, [column])
    return load(modality, source)


def _matching(pattern: str) -> Callable[[Sample], str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise BadValue(
            f"split by {pattern!r}: must be key, sample, folder, STREAM, STREAM.FIELD "
            f"or a regular expression ({error})"
        ) from error

    def group(sample: Sample) -> str:
        found = expression.search(sample.key)
        if found is None:
            raise BadValue(f"split by {pattern!r}: the expression must match every key; not {sample.key!r}")
        return found.group(min(1, expression.groups)) or ""

    return group
