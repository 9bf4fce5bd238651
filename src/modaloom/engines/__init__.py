"""What a training makes, by the engine that made it: how it is opened, scored and shown."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.evaluation.rows import ScoreRow
from modaloom.loom.atlas import write_atlas
from modaloom.loom.commands import examples as commands
from modaloom.loom.evaluation.folder import evaluate as score
from modaloom.loom.evaluation.mutual_information import MutualInformation
from modaloom.loom.generation import TrainedRun
from modaloom.loom.generation import load as load_trained
from modaloom.loom.mutual_information import mutual_information as measure_information
from modaloom.loom.samples import write_gallery
from modaloom.restorer.commands import restored_examples
from modaloom.restorer.evaluation.folder import score_restored
from modaloom.restorer.restoration import RestoredRun, load_restored
from modaloom.restorer.samples import write_sample_grid
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import RunFolder

Trained = TrainedRun | RestoredRun


@dataclass(frozen=True)
class RunType:
    """Functions of a kind of finished run."""

    load: Callable[..., Any]
    """(Path, *, device) → the run."""
    score: Callable[..., list[ScoreRow]]
    """(Run, folder, *, n, …) → rows."""
    samples: int
    """Most samples of each row that a training ends with."""
    mutual_information: Callable[..., list[MutualInformation]]
    """(Run, folder, *, n, …) → what its streams tell about each other."""
    show: Callable[[Any, str], None]
    """(Run, folder): fills RUN/samples."""
    renew: Callable[[Any], None]
    """What a report makes anew of a finished run."""
    commands: Callable[[Any], list[str]]
    """Three to paste after a training."""
    limits: Sequence[str]
    """Sentences for the card."""


def _show(trained: TrainedRun, folder: str) -> None:
    write_gallery(trained, folder)
    write_atlas(trained)


def _nothing(trained: Any) -> None:
    pass


def _none(*asked: Any, **how: Any) -> list[Any]:
    return []


FROM_SCRATCH = "Trained from scratch on the data above and nothing else; outside of it, it guesses."
RUN_TYPES: Mapping[str, RunType] = {
    "loom": RunType(
        load=load_trained,
        score=score,
        samples=1_000_000,
        mutual_information=measure_information,
        show=_show,
        renew=write_atlas,
        commands=commands,
        limits=(
            FROM_SCRATCH,
            "What it draws may be close to training samples: `_provenance.jsonl` names the nearest one.",
        ),
    ),
    "restorer": RunType(
        load=load_restored,
        score=score_restored,
        samples=24,
        mutual_information=_none,
        show=write_sample_grid,
        renew=_nothing,
        commands=restored_examples,
        limits=(
            FROM_SCRATCH,
            "Details that it adds are likely ones, not those that were lost: it is no evidence.",
        ),
    ),
}
"""By `Run.engine`."""


def load(run: str | os.PathLike[str], *, device: str = "auto") -> Trained:
    """Open a finished run on a device: auto | cpu | cuda | mps. Raises `BadRun`, `BadValue`."""
    found: Trained = run_type_of(run).load(run, device=device)
    return found


def evaluate(
    run: str | os.PathLike[str] | Trained, folder: str | os.PathLike[str], **how: Any
) -> list[ScoreRow]:
    """Rows on a folder's held-out samples; see `judge.evaluate` and `restored_judge.score_restored`."""
    return run_type_of(run).score(run, folder, **how)


def mutual_information(
    run: str | os.PathLike[str] | Trained, folder: str | os.PathLike[str], **how: Any
) -> list[MutualInformation]:
    """Pairwise mutual information of a run's streams; see `information.mutual_information`."""
    return run_type_of(run).mutual_information(run, folder, **how)


def examples(trained: Trained) -> list[str]:
    """Three commands to paste."""
    return run_type_of(trained).commands(trained)


def run_type_of(run: str | os.PathLike[str] | Trained) -> RunType:
    """Raises `BadRun`."""
    if isinstance(run, TrainedRun | RestoredRun):
        return RUN_TYPES[run.run.engine]
    return RUN_TYPES[RunFolder.open(resolve_run(Path(run))).run().engine]
