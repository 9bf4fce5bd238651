"""What a finished run knows of its own quality."""

import json
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from modaloom.evaluation.diagnosis import Diagnosis, diagnose
from modaloom.evaluation.headline import no_better
from modaloom.evaluation.overfitting import overfitting
from modaloom.evaluation.rows import ScoreRow
from modaloom.runs.caches import Caches
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import SCORES, RunFiles


def scores(run: Path) -> list[ScoreRow]:
    """The rows of a run's own evaluation; none if it was not evaluated."""
    try:
        return [ScoreRow(**row) for row in json.loads((run / SCORES).read_bytes())["rows"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def sides(row: ScoreRow) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The streams that a row's direction gives and wants."""
    given, want = row.row.split("->")
    return tuple(filter(None, given.split("+"))), tuple(want.split("+"))


def cautions(rows: Collection[ScoreRow], given: Collection[str], want: Collection[str]) -> list[str]:
    """A sentence for every wanted stream that the run draws no better from `given` than its baseline."""
    asked = {
        row.row for row in rows if (s := sides(row)) and set(s[0]) == set(given) and set(s[1]) <= set(want)
    }
    return [sentence for name, sentence in no_better(rows).items() if name in asked]


def warnings(run: str | os.PathLike[str], rows: Sequence[ScoreRow]) -> list[str]:
    """What to be careful with in these rows of the run, and in how its training went. Raises `BadRun`."""
    metrics = RunFiles(resolve_run(Path(run))).metrics()
    return [*no_better(rows).values(), *filter(None, [overfitting(metrics)])]


def diagnosis(run: str | os.PathLike[str], rows: Sequence[ScoreRow]) -> list[Diagnosis]:
    """What limits each direction of these rows of the run, by how its training went. Raises `BadRun`."""
    folder = RunFiles(resolve_run(Path(run)))
    return diagnose(rows, folder.metrics(), pairs=lambda name: _pairs(folder, name))


def _pairs(folder: RunFiles, direction: str) -> int:
    """Training samples that have all streams of a direction; all of them where the caches are lost."""
    caches, streams = Caches.of(folder.path), [s for s in re.split(r"\+|->", direction) if s]
    try:
        here = [caches.present("codes", stream)[caches.rows] for stream in streams] if caches else []
    except (OSError, ValueError, LookupError):
        here = []
    return int(np.logical_and.reduce(here).sum() if here else folder.data()["counts"].get("train", 0))
