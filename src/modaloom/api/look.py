"""Inspection of a data folder, and the report of a run."""

import os
from dataclasses import replace
from pathlib import Path

from modaloom.api.runs import load
from modaloom.core.defaults import LAYOUT
from modaloom.core.errors import BadRun
from modaloom.data.folder import open_folder
from modaloom.data.inspect import Inspection
from modaloom.data.inspect import inspect as inspect_folder
from modaloom.data.reader import Reader
from modaloom.data.split import split
from modaloom.engines import engine_of_run
from modaloom.evaluation.learnable import few_samples
from modaloom.report.page import write_report
from modaloom.runs.store import CONFIG, RunFiles
from modaloom.training.expected import expected_shortenings


def inspect(folder: str | os.PathLike[str], *, layout: str = LAYOUT, limit: int | None = None) -> Inspection:
    """Inspects a data folder: layout, streams, unreadable files, effects of the default limits, and advice.

    Args:
        folder: the data.
        layout: how it is arranged, one of `modaloom.data.layout.LAYOUTS`; `auto` recognises it.
        limit: number of samples whose files are read; None: all.

    Raises:
        BadFolder: there is nothing to train on, or two layouts fit.
        BadFile: a table that cannot be read.
        BadValue: an unknown layout.
    """
    index = open_folder(Path(folder), layout)
    found = inspect_folder(index, layout=layout, limit=limit)
    reader = Reader(index, max_skipped_fraction=1)
    *advice, command = found.advice
    advice += expected_shortenings(reader, limit=limit)
    if found.read == found.samples:
        split_of = split(index)
        advice += few_samples(reader, [one for one in index.samples if split_of[one.key] == "train"])
    return replace(found, advice=[*advice, command])


def report(run: str | os.PathLike[str], *, samples: bool = True) -> Path:
    """Writes the report of a run, finished or not, and returns its path; for a finished run also the atlas.

    Raises `BadRun` and `WorkFailed`.
    """
    path = Path(run)
    if not (path / CONFIG).exists():
        raise BadRun(f"{path} is no run folder; give the --out of a training")
    if samples and RunFiles(path).model.is_dir():
        engine_of_run(path).refresh_samples(load(path, device="cpu"))
    return write_report(path, samples=samples)
