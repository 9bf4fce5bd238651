"""Inspection of a dataset folder: statistics, unreadable files and recommendations. Changes no file."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from modaloom.core.defaults import LAYOUT
from modaloom.core.errors import short
from modaloom.core.types import Sample
from modaloom.data.advice import advise, check_trainable
from modaloom.data.folder import Folder
from modaloom.data.length_agreement import about_lengths
from modaloom.data.reader import Reader
from modaloom.data.split import split
from modaloom.data.walk import Problem
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.modalities.files import File


@dataclass(frozen=True)
class StreamFacts:
    """Statistics of one stream over the samples that were read."""

    modality: str
    count: int
    """Samples with a readable value."""
    broken: int
    """Samples whose file cannot be read."""
    missing: float
    """Fraction of the samples without a readable value."""
    facts: Mapping[str, Any]
    """Statistics of the modality: sizes, lengths, columns."""
    example: str
    """Of the first sample that has it: its key and file, or what a table holds."""


@dataclass(frozen=True)
class Inspection:
    """The result of `inspect`."""

    path: str
    layout: str
    """One of `LAYOUTS`."""
    recognised: Sequence[str]
    """The layout and what tables were joined by, in words."""
    samples: int
    read: int
    """Number of samples whose files were read."""
    streams: Mapping[str, StreamFacts]
    splits: Mapping[str, int]
    """Split → samples."""
    fixed: bool
    """Whether folders fix the splits; otherwise they come from a hash of the keys."""
    problems: Sequence[Problem]
    """Files and folders that were left out or cannot be read."""
    advice: Sequence[str]
    """Recommendations, one sentence each."""

    def to_dict(self) -> dict[str, object]:
        """The same as JSON-able dicts and lists."""
        return asdict(self)


def inspect(folder: Folder, *, layout: str = LAYOUT, limit: int | None = None) -> Inspection:
    """Inspect a folder, decoding all or the first `limit` samples. Raises `BadFolder` as training would.

    `layout`: what was asked for.
    """
    split_of = split(folder)
    check_trainable(folder, [*folder.modality_of], split_of)
    samples = folder.samples[:limit]
    reader = Reader(folder, max_skipped_fraction=1)
    lengths: dict[str, dict[str, float]] = {name: {} for name in folder.modality_of}
    streams = {name: _stream(reader, name, samples, lengths[name]) for name in folder.modality_of}
    problems = [*folder.problems, *reader.problems]
    return Inspection(
        path=str(folder.path),
        layout=folder.layout,
        recognised=folder.recognised,
        samples=len(folder.samples),
        read=len(samples),
        streams=streams,
        splits=dict(Counter(split_of.values())),
        fixed=folder.splits is not None,
        problems=problems,
        advice=advise(folder, split_of, len(problems), layout, about_lengths(lengths, folder.sounds)),
    )


def _stream(reader: Reader, name: str, samples: Sequence[Sample], lengths: dict[str, float]) -> StreamFacts:
    """Statistics of a stream in one pass, which adds the lengths of its values by key."""
    modality = MODALITIES[reader.folder.modality_of[name]]

    def measured() -> Iterator[Value]:
        for sample in samples:
            value = reader.value(sample, name)
            if value is not None:
                if modality.length:
                    lengths[sample.key] = modality.length(value)
                yield value

    values = measured()
    first = next(values, None)
    facts = modality.describe(chain([first], values)) if first is not None else {}
    deque(values, maxlen=0)  # read on, to find what is broken, if there is nothing to describe
    broken = sum(stream == name for _, stream in reader.skips)
    count = sum(name in sample.streams for sample in samples) - broken
    missing = round(1 - count / max(1, len(samples)), 4)
    return StreamFacts(modality.name, count, broken, missing, facts, _example(reader.folder, name))


def _example(folder: Folder, name: str) -> str:
    sample = next(sample for sample in folder.samples if name in sample.streams)
    source = sample.streams[name]
    value = (
        Path(str(source)).relative_to(folder.path).as_posix() if isinstance(source, File) else short(source)
    )
    return f"{sample.key}: {value}"
