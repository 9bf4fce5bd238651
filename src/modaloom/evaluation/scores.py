"""Stored scores, warnings and diagnosis of a finished run."""

import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from modaloom.core.json_text import from_json
from modaloom.evaluation.diagnosis import Diagnosis, diagnose
from modaloom.evaluation.headline import no_better
from modaloom.evaluation.overfitting import overfitting
from modaloom.evaluation.rows import ScoreRow
from modaloom.runs.caches import Caches
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import SCORES, RunFiles


def scores(run: Path) -> list[ScoreRow]:
    """Returns the stored score rows of a run; empty if it was not evaluated."""
    try:
        return [ScoreRow(**row) for row in from_json((run / SCORES).read_bytes())["rows"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def sides(row: ScoreRow) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns input and target streams of a row's direction."""
    given, want = row.row.split("->")
    return tuple(filter(None, given.split("+"))), tuple(want.split("+"))


def cautions(rows: Collection[ScoreRow], given: Collection[str], want: Collection[str]) -> list[str]:
    """Returns a sentence for every target stream that is predicted no better from `given` than a baseline."""
    asked = {
        row.row for row in rows if (s := sides(row)) and set(s[0]) == set(given) and set(s[1]) <= set(want)
    }
    return [sentence for name, sentence in no_better(rows).items() if name in asked]


def warnings(run: str | os.PathLike[str], rows: Sequence[ScoreRow]) -> list[str]:
    """Returns warnings about score rows of the run, and about its training. Raises `BadRun`."""
    metrics = RunFiles(resolve_run(Path(run))).metrics()
    return [*no_better(rows).values(), *filter(None, [overfitting(metrics)])]


def diagnosis(run: str | os.PathLike[str], rows: Sequence[ScoreRow]) -> list[Diagnosis]:
    """Returns the diagnosis of each direction from score rows and training metrics. Raises `BadRun`."""
    folder = RunFiles(resolve_run(Path(run)))
    return diagnose(rows, folder.metrics(), pairs=lambda name: _pairs(folder, name))


def _pairs(folder: RunFiles, direction: str) -> int:
    """Number of training samples that have all streams of a direction; of all, if the caches are missing."""
    caches, streams = Caches.of(folder.path), [s for s in re.split(r"\+|->", direction) if s]
    try:
        here = [caches.present("codes", stream)[caches.rows] for stream in streams] if caches else []
    except (OSError, ValueError, LookupError):
        here = []
    return int(np.logical_and.reduce(here).sum() if here else folder.data()["counts"].get("train", 0))
