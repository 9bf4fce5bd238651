"""The data contract: a folder of files → samples.

Files with the same key form one sample (`names.py`, `layout.py`). `metadata.csv | metadata.jsonl` in any
folder refer to files and contain text streams. Top-level folders `train/ val/ test…/` fix the splits. Folders
are class labels, the text stream `label`, if (below the splits) every sample is exactly one folder deep,
there are at least two such folders with two samples each on average, all have the same streams, and their
files are not numbered on from one folder to the next. Long files of text alone are cut into windows
(`long_files.py`).
"""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from modaloom.core.defaults import LAYOUT
from modaloom.core.errors import BadFolder, bounded
from modaloom.core.types import Sample
from modaloom.data.index import Index
from modaloom.data.layout import (
    CLASSES,
    DEFECTS,
    ENOUGH,
    LAYOUTS,
    SPLIT,
    STEMS,
    WINDOWS,
    UnclearLayout,
    choices,
)
from modaloom.data.long_files import LimitsOf, cut_files, default_limits, has_long
from modaloom.data.table_rows import TEXT
from modaloom.data.walk import Problem, format_problems
from modaloom.modalities import MODALITIES
from modaloom.modalities.files import File

SPLIT_ALIASES = {"training": "train", "valid": "val", "validation": "val", "dev": "val", "testing": "test"}
LABEL = "label"
NUM_JUDGED = 16
"""Files of a stream from which its modality is told."""
MAX_SPLIT_DEPTH = 2
"""Folders above those of the splits."""
SHARD_DIGITS = 4
"""Folders that are numbers of so many digits, with which the names of their files begin, are no classes."""


@dataclass(frozen=True)
class Folder:
    """The index of a dataset, without decoded values."""

    path: Path
    samples: Sequence[Sample]
    """Sorted by key; streams → `Source`."""
    modality_of: Mapping[str, str]
    """Stream → modality name."""
    splits: Mapping[str, str] | None
    """Key → split if folders or a table fix the splits, else None."""
    problems: Sequence[Problem]
    """All files and folders that were left out."""
    layout: str = STEMS
    """One of `LAYOUTS`."""
    recognised: Sequence[str] = ()
    """The layout and what tables were joined by, in words."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Key → group of samples that must be in one split; the others are groups of their own."""

    @property
    def signals(self) -> Sequence[str]:
        """Names of the streams of signals: pictures, sounds."""
        return [name for name, kind in self.modality_of.items() if MODALITIES[kind].codec.continuous]

    @property
    def sounds(self) -> Sequence[str]:
        """Names of the streams of waveforms."""
        return [name for name in self.signals if MODALITIES[self.modality_of[name]].signal.is_waveform]


def open_folder(path: Path, layout: str = LAYOUT, limits_of: LimitsOf | None = default_limits) -> Folder:
    """Index a folder.

    Args:
        path: the folder.
        layout: one of `LAYOUTS`; `auto` recognises it.
        limits_of: modality → the limits within which windows of long files are; None: they are not cut.

    Raises:
        BadFolder: it is missing, has no sample, contradicts the contract, or fits two layouts.
        BadFile: a table that cannot be read.
        BadValue: an unknown layout.
    """
    if not os.path.isdir(path):  # unlike Path.is_dir, never raises
        raise BadFolder(f"{path} is not a folder; give one with files such as 0001.png and 0001.txt")
    index = Index(path, layout)
    try:
        index.read()
        folder = _collected(path, layout, index)
        if limits_of is not None and (
            layout == WINDOWS
            or (layout == LAYOUT and has_long(folder.samples, folder.modality_of, limits_of))
        ):
            return _in_windows(folder, limits_of)
        return folder
    except UnclearLayout as error:
        raise BadFolder(f"{path} {error}") from error


def _collected(path: Path, layout: str, index: Index) -> Folder:
    """The folder of what was collected. Raises `BadFolder` and `UnclearLayout`."""
    samples = index.sharded or index.samples()
    if not samples:
        known = " ".join(f".{suffix}" for m in MODALITIES.values() for suffix in m.suffixes)
        message = f"{path} has no samples; put files there that end in one of {known}, or a table"
        raise BadFolder("\n".join([message, format_problems(index.problems)]).rstrip())
    splits = splits_of_keys([sample.key for sample in samples]) or _table_splits(samples, index.split_of)
    problems = [*index.problems]
    if splits is not None and len(splits) < len(samples):
        problems += [Problem(s.key, "is in no split") for s in samples if s.key not in splits]
        samples = [sample for sample in samples if sample.key in splits]
    modality_of, remarks = _exact({stream: modality for stream, (modality, _) in index.seen.items()}, samples)
    found = index.arrangement.layout
    open_question = found == STEMS and layout == LAYOUT and not index.grouped
    if LABEL not in modality_of and (
        layout == CLASSES or found == DEFECTS or (open_question and _has_classes(samples, splits))
    ):
        found = CLASSES if found == STEMS else found
        samples = [_labelled(sample, splits) for sample in samples]
        modality_of[LABEL] = TEXT
    sentence = LAYOUTS[CLASSES] if found == CLASSES else index.arrangement.sentence
    used = sorted({name for sample in samples for name in sample.streams})
    return Folder(
        path,
        samples,
        {name: modality_of[name] for name in used},
        splits,
        problems,
        found,
        [*filter(None, [sentence]), *index.joined, *remarks],
        {key: group for key, group in index.group_of.items() if key != group},
    )


def _in_windows(folder: Folder, limits_of: LimitsOf) -> Folder:
    """The folder with windows of its files as samples. Raises `UnclearLayout` and `BadFolder`."""
    cut = cut_files(
        folder.path, folder.samples, folder.modality_of, limits_of, divided=folder.splits is not None
    )
    problems, splits = [*folder.problems, *cut.problems], folder.splits
    if not cut.samples:
        raise BadFolder(f"{folder.path} has no text that can be read\n{format_problems(problems)}")
    if splits is not None:
        splits = {window: splits[key] for window, key in cut.file_of.items()}
    group_of = {window: folder.groups.get(key, key) for window, key in cut.group_of.items()}
    recognised = [cut.sentence, *(said for said in folder.recognised if said not in LAYOUTS.values())]
    return replace(
        folder,
        samples=cut.samples,
        splits=splits,
        problems=problems,
        layout=WINDOWS,
        recognised=recognised,
        groups=group_of,
    )


def _exact(modality_of: Mapping[str, str], samples: Sequence[Sample]) -> tuple[dict[str, str], list[str]]:
    """The modalities that keep the true values of the files, and what reading changes, by a few of each."""
    found, remarks, few = dict(modality_of), [], _few_files(samples)
    for stream, name in modality_of.items():
        if (exact := MODALITIES[name].exact) is not None:
            found[stream] = exact(few[stream])
        remarks += [f"{stream}: {remark}" for remark in MODALITIES[found[stream]].remarks(few[stream])]
    return found, remarks


def _few_files(samples: Sequence[Sample]) -> Mapping[str, Sequence[File]]:
    """Stream → at most `NUM_JUDGED` of its files, from all over the samples."""
    counts = Counter(name for s in samples for name, source in s.streams.items() if isinstance(source, File))
    few, seen = defaultdict[str, list[File]](list), Counter[str]()
    for sample in samples:
        for name, source in sample.streams.items():
            if isinstance(source, File):
                if seen[name] % max(1, counts[name] // NUM_JUDGED) == 0 and len(few[name]) < NUM_JUDGED:
                    few[name].append(source)
                seen[name] += 1
    return few


def splits_of_keys(keys: Sequence[str]) -> dict[str, str] | None:
    """Key → split of samples in split folders; None if there is no `train` and others lie elsewhere.

    The splits are the top folders, or those at one of the next depths if all samples lie in one there.
    """
    for depth in range(MAX_SPLIT_DEPTH + 1):
        split_of = {key: name for key in keys if (name := _split_at(key, depth))}
        has_train = "train" in split_of.values()
        if len(split_of) == len(keys) if depth else has_train or len(split_of) == len(keys):
            return split_of if has_train or not depth else None
    return None


def _split_at(key: str, depth: int) -> str:
    """The split that a folder of a key says; empty if it says none."""
    folders = key.split("/")[:-1]
    name = folders[depth].lower() if depth < len(folders) else ""
    return SPLIT_ALIASES.get(name, name) if SPLIT.fullmatch(name) else ""


def _table_splits(samples: Sequence[Sample], split_of: Mapping[str, str]) -> dict[str, str] | None:
    """The same from a table's column; None if it has no `train`, or not every sample."""
    names = {key: SPLIT_ALIASES.get(name.lower(), name.lower()) for key, name in split_of.items()}
    fixed = "train" in names.values() and all(sample.key in names for sample in samples)
    return names if fixed else None


def _classes_of(key: str, splits: Mapping[str, str] | None) -> list[str]:
    """The folders of a key that are no splits."""
    folders = key.split("/")[:-1]
    return folders if splits is None else [name for name in folders if not SPLIT.fullmatch(name)]


def _has_classes(samples: Sequence[Sample], splits: Mapping[str, str] | None) -> bool:
    streams: dict[str, set[str]] = defaultdict(set)
    stems: dict[str, set[str]] = defaultdict(set)
    numbered = True
    for sample in samples:
        folders, stem = _classes_of(sample.key, splits), sample.key.rpartition("/")[2]
        if len(folders) != 1:
            return False
        (name,) = folders
        streams[name] |= set(sample.streams)
        stems[stem].add(name)
        numbered &= len(name) >= SHARD_DIGITS and name.isdigit() and stem.startswith(name)
    kinds = {frozenset(names) for names in streams.values()}
    repeated = sum(len(found) > 1 for found in stems.values()) >= ENOUGH * len(stems)
    paired = all(len(names) > 1 for names in kinds)
    fits = len(streams) >= 2 and len(samples) >= 2 * len(streams) and len(kinds) == 1 and not numbered
    if fits and repeated and not paired:
        names = bounded(sorted(streams))
        raise UnclearLayout(f"has files of the same names in its folders {names}. {choices(CLASSES, STEMS)}")
    return fits


def _labelled(sample: Sample, splits: Mapping[str, str] | None) -> Sample:
    folders = _classes_of(sample.key, splits)
    return Sample(sample.key, {**sample.streams, LABEL: folders[-1]}) if folders else sample
