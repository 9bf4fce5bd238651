"""Inspection of a data folder, and the report of a run."""

import os
from dataclasses import replace
from pathlib import Path

from modaloom.api.runs import load
from modaloom.core.errors import BadRun
from modaloom.data.folder import open_folder
from modaloom.data.inspect import Inspection
from modaloom.data.inspect import inspect as inspect_folder
from modaloom.data.reader import Reader
from modaloom.engines import engine_of_run
from modaloom.report.page import write_report
from modaloom.runs.store import CONFIG, RunFiles
from modaloom.training.expected import expected_shortenings


def inspect(folder: str | os.PathLike[str], *, limit: int | None = None) -> Inspection:
    """Inspects a data folder: streams, unreadable files, effects of the default limits, and advice.

    Raises `BadFolder`.
    """
    found = inspect_folder(Path(folder), limit=limit)
    reader = Reader(open_folder(Path(folder)), max_skipped_fraction=1)
    *advice, command = found.advice
    return replace(found, advice=[*advice, *expected_shortenings(reader, limit=limit), command])


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
