"""The data contract: a folder of files → samples.

Files with the same key form one sample (`names.py`). `metadata.csv | metadata.jsonl` in any folder refer to
files and contain text streams. Top-level folders `train/ val/ test…/` fix the splits. Folders are class
labels, the text stream `label`, if (below the splits) every sample is exactly one folder deep, there are at
least two such folders with two samples each on average, and all have the same streams.
"""

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from modaloom.core.errors import MAX_NAMED, BadFolder, short
from modaloom.core.types import Sample
from modaloom.data.metadata import MetadataRow, read_metadata
from modaloom.data.names import METADATA, is_stream_name, parse_name, stream_names
from modaloom.data.walk import Problem, format_problems, make_problem, walk_files
from modaloom.modalities import MODALITIES

SPLIT = re.compile(r"(train|training|valid|validation|val|dev|test|testing)([-_].*)?")
SPLIT_ALIASES = {"training": "train", "valid": "val", "validation": "val", "dev": "val", "testing": "test"}
LABEL = "label"
TEXT = "text"
"""The modality of labels and metadata columns."""

Source = Path | str
"""The source of a value: a file, or a literal text."""


@dataclass(frozen=True)
class Folder:
    """The index of a dataset, without decoded values."""

    path: Path
    samples: Sequence[Sample]
    """Sorted by key; streams → `Source`."""
    modality_of: Mapping[str, str]
    """Stream → modality name."""
    splits: Mapping[str, str] | None
    """Key → split if folders fix the splits, else None."""
    problems: Sequence[Problem]
    """All files and folders that were left out."""


def open_folder(path: Path) -> Folder:
    """Index a folder. Raises `BadFolder` if it is missing, has no sample or contradicts the contract."""
    if not os.path.isdir(path):  # unlike Path.is_dir, never raises
        raise BadFolder(f"{path} is not a folder; give one with files such as 0001.png and 0001.txt")
    index = _Index(path)
    index.read()
    samples = index.samples()
    if not samples:
        known = " ".join(f".{suffix}" for m in MODALITIES.values() for suffix in m.suffixes)
        message = f"{path} has no samples; put files there that end in one of {known}"
        raise BadFolder("\n".join([message, format_problems(index.problems)]).rstrip())
    splits = _splits(samples)
    problems = [*index.problems]
    if splits is not None:
        problems += [Problem(s.key, "is in no split folder") for s in samples if s.key not in splits]
        samples = [sample for sample in samples if sample.key in splits]
    modality_of = {stream: modality for stream, (modality, _) in index.seen.items()}
    if LABEL not in modality_of and _has_classes(samples, depth=1 if splits is None else 2):
        samples = [_labelled(sample) for sample in samples]
        modality_of[LABEL] = TEXT
    used = sorted({name for sample in samples for name in sample.streams})
    return Folder(path, samples, {name: modality_of[name] for name in used}, splits, problems)


@dataclass
class _Index:
    """The index while it is being built."""

    root: Path
    streams: dict[str, dict[str, Source]] = field(default_factory=lambda: defaultdict(dict))
    seen: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Stream → its modality and the file that determined it."""
    problems: dict[Problem, None] = field(default_factory=dict)
    """An ordered set."""
    named: frozenset[str] = frozenset()
    """Streams that file names have."""
    bad_rows: Counter[Path] = field(default_factory=Counter)
    """Table → number of its lines that name no readable file."""

    def read(self) -> None:
        files: dict[Path, None] = {}
        for found in walk_files(self.root):
            if isinstance(found, Problem):
                self.problems[found] = None
            else:
                files[found] = None
        self.named = stream_names((str(path.parent), path.name) for path in files)
        claimed: set[Path] = set()
        for table in [path for path in files if path.name in METADATA]:
            claimed.add(table)
            for row in read_metadata(table):
                claimed |= self.add_row(table, row, files)
            if (more := self.bad_rows[table] - MAX_NAMED) > 0:
                self.leave(table, f"{more:,} more lines name no readable sample file, or none")
        for path in files:
            if path not in claimed:
                self.add_file(path)

    def add_file(self, path: Path) -> None:
        name = parse_name(path.name, self.named)
        if name is None:
            self.leave(path, f"has an unknown suffix ({path.suffix or 'none'})")
            return
        self.add(self.key(path, name.key), name.stream, name.modality, path, str(path))

    def add_row(self, table: Path, row: MetadataRow, files: Mapping[Path, None]) -> set[Path]:
        """Add a row's sample; returns the files that it uses."""
        where = f"{table}, line {row.line}"
        key, claimed = None, set()
        for stream, relative in row.files.items():
            path = self.place(table, relative)
            name = parse_name(path.name, self.named)
            if path not in files or name is None:
                self.leave_row(table, row, f"names {short(relative)}, which is not a readable sample file")
                continue
            key = key or self.key(path, name.key)
            claimed.add(path)
            self.add(key, stream or name.stream, name.modality, path, where)
        if not row.files:
            self.leave_row(table, row, "has no file")
        if key is None:
            return claimed
        for column, text in row.values.items():
            if is_stream_name(column):
                self.add(key, column, TEXT, text, where)
            else:
                self.leave(table, f"column {short(column)} is not a stream name (letters, digits, _ - .)")
        return claimed

    def place(self, table: Path, written: str) -> Path:
        """The path that a table means, with slashes of either kind; absolute ones are below the root."""
        path = PurePosixPath(written.strip().replace("\\", "/"))
        if path.is_absolute() and path.is_relative_to(self.root.absolute()):
            return self.root / path.relative_to(self.root.absolute())
        return table.parent / path

    def leave_row(self, table: Path, row: MetadataRow, reason: str) -> None:
        """Name the first few, and count the others."""
        self.bad_rows[table] += 1
        if self.bad_rows[table] <= MAX_NAMED:
            self.leave(table, f"line {row.line} {reason}")

    def leave(self, path: Path, reason: str) -> None:
        self.problems[make_problem(self.root, path, reason)] = None

    def key(self, path: Path, stem: str) -> str:
        """Path below the root; names that only differ in their Unicode form are one."""
        return unicodedata.normalize("NFC", (path.parent / stem).relative_to(self.root).as_posix())

    def add(self, key: str, stream: str, modality: str, source: Source, where: str) -> None:
        known, first = self.seen.setdefault(stream, (modality, where))
        if known != modality:
            raise BadFolder(
                f"stream {stream!r} is {known} in {first} and {modality} in {where}; "
                "give one of them another name between key and suffix"
            )
        if stream in self.streams[key]:
            raise BadFolder(
                f"two values for stream {stream!r} of sample {key!r}: {_place(self.streams[key][stream])} "
                f"and {_place(source)} (from {where}); remove or rename one"
            )
        self.streams[key][stream] = source

    def samples(self) -> list[Sample]:
        return [Sample(key, dict(sorted(self.streams[key].items()))) for key in sorted(self.streams)]


def _place(source: Source) -> str:
    return str(source) if isinstance(source, Path) else short(source)


def _splits(samples: Sequence[Sample]) -> dict[str, str] | None:
    """Key → split of the samples in split folders; None if there is no `train` and others lie elsewhere."""
    split_of: dict[str, str] = {}
    for sample in samples:
        top, _, rest = sample.key.partition("/")
        if rest and SPLIT.fullmatch(top.lower()):
            split_of[sample.key] = SPLIT_ALIASES.get(top.lower(), top.lower())
    fixed = "train" in split_of.values() or len(split_of) == len(samples)
    return split_of if fixed else None


def _has_classes(samples: Sequence[Sample], depth: int) -> bool:
    streams: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        *folders, _ = sample.key.split("/")
        if len(folders) != depth:
            return False
        streams[folders[-1]] |= set(sample.streams)
    kinds = {frozenset(names) for names in streams.values()}
    return len(streams) >= 2 and len(samples) >= 2 * len(streams) and len(kinds) == 1


def _labelled(sample: Sample) -> Sample:
    return Sample(sample.key, {**sample.streams, LABEL: sample.key.split("/")[-2]})
