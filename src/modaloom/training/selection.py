"""Selection of the training and validation samples of a folder, and its record in the run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from modaloom.core.types import Sample
from modaloom.data.advice import check_trainable
from modaloom.data.folder import Folder
from modaloom.data.reader import Reader
from modaloom.data.split import split
from modaloom.modalities.base import Value
from modaloom.runs.caches import CACHE, KEYS
from modaloom.runs.config import RunConfig
from modaloom.runs.store import RunFolder

MAX_MEASURED_VALUES = 2000
"""Maximum number of training values per stream from which spec and vocabulary are inferred."""


@dataclass(frozen=True)
class Selection:
    """Training and validation samples of a folder."""

    reader: Reader
    samples: Sequence[Sample]
    """Training and validation samples, in the row order of every cache."""
    rows: Mapping[str, Tensor]
    """Split (train, val) → int64 rows."""
    split_of: Mapping[str, str]
    """Sample key → split, for all samples of the folder."""

    @property
    def training(self) -> list[Sample]:
        """The training samples."""
        return [self.samples[i] for i in self.rows["train"].tolist()]


@dataclass(frozen=True)
class MeasuredColumn:
    """The first `MAX_MEASURED_VALUES` values of a stream, read lazily on each iteration, so that large values
    are not in memory together."""

    reader: Reader
    stream: str
    samples: Sequence[Sample]

    def __iter__(self) -> Iterator[Value]:
        return islice(self.reader.column(self.stream, self.samples), MAX_MEASURED_VALUES)

    @property
    def has_values(self) -> bool:
        return next(iter(self), None) is not None


def select(run: RunFolder[Any], folder: Folder, streams: Sequence[str]) -> Selection:
    """Select the samples of a run, and write their keys and splits to its cache folder.

    Raises `BadFolder` if there is no training sample, or none with two of several streams.
    """
    config = run.run()
    split_of = split(folder, by=config.data.group)
    samples = [s for s in folder.samples if split_of[s.key] in ("train", "val")]
    rows = {
        name: torch.tensor([i for i, s in enumerate(samples) if split_of[s.key] == name], dtype=torch.int64)
        for name in ("train", "val")
    }
    check_trainable(folder, streams, split_of)
    (run.path / CACHE).mkdir(exist_ok=True)
    keys = [sample.key for sample in samples]
    run.write(f"{CACHE}/{KEYS}", {"keys": keys, "splits": [split_of[key] for key in keys]})
    return Selection(Reader(folder, streams=streams), samples, rows, split_of)


def data_facts(folder: Folder, split_of: Mapping[str, str], config: RunConfig) -> dict[str, Any]:
    """Engine-independent facts on a folder for data.json."""
    by = "its folders" if folder.splits is not None else f"a hash of {config.data.split_by}"
    return {
        "folder": str(folder.path.absolute()),
        "counts": dict(sorted(Counter(split_of.values()).items())),
        "split": f"The splits are fixed by {by}; a sample's streams stay on one side.",
        "left_out": [f"{p.path}: {p.reason}" for p in folder.problems][:100],
    }
