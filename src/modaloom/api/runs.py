"""Finished runs of any engine: opened, scored, shown."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from modaloom.core.defaults import DEVICE, EVALUATION_SAMPLES, INFORMATION_SAMPLES, SEED
from modaloom.core.errors import check_names
from modaloom.data.notices import Notify, silent
from modaloom.engine import FinishedRun
from modaloom.engines import ENGINES, engine_of_run
from modaloom.evaluation.mutual_information import MutualInformation
from modaloom.evaluation.rows import ScoreRow
from modaloom.loom.config import CodeSamplingOptions
from modaloom.loom.generation import TrainedRun
from modaloom.restorer.restoration import RestoredRun
from modaloom.runs.resolve import resolve_run

Trained = TrainedRun | RestoredRun
"""What `train` and `load` return: a run that generates, or one that restores."""


def load(run: str | os.PathLike[str], *, device: str = DEVICE) -> Trained:
    """Open a finished run.

    Args:
        run: a run folder, or the name of a bundled run: `demo`.
        device: auto | cpu | cuda | mps.

    Raises `BadRun`, `BadValue`.
    """
    path = resolve_run(Path(run))
    found: Trained = engine_of_run(path).load(path, device=device)
    return found


def evaluate(
    run: str | os.PathLike[str] | FinishedRun,
    folder: str | os.PathLike[str],
    *,
    rows: str | Sequence[str] = (),
    n: int = EVALUATION_SAMPLES,
    seed: int = SEED,
    sampling: CodeSamplingOptions | None = None,
    minutes: float | None = None,
    device: str = DEVICE,
    on_row: Callable[[ScoreRow], None] = lambda row: None,
    notify: Notify = silent,
) -> list[ScoreRow]:
    """Score a run on a folder's held-out samples, each score beside its floor, baselines and ceiling.

    Args:
        run: a run folder, a bundled run's name, or a run that is open.
        folder: paired files with a held-out split.
        rows: which scores, such as "image->caption" or "restore:superres"; default all that there are.
        n: most samples of a direction and split.
        seed: of the choice of samples and of what is generated.
        sampling: fields of `CodeSamplingConfig` that differ from the run's.
        minutes: about how long it may take; where they are short, fewer samples are read and asked, the same
            ones first, which rows (`n`) and `notify` tell. None: as long as it takes.
        device: where a run that is named works; one that is open stays where it is.
        on_row: gets each row when it is there.
        notify: gets sentences, such as which files could not be read and which values were cut.

    Raises:
        BadFolder: nothing is held out, or the folder has not the run's streams.
        BadValue: an unknown row, an option out of its range.
    """
    trained = open_run(run, device)
    return ENGINES[trained.run.engine].evaluate(
        trained,
        Path(folder),
        rows=check_names("rows", rows),
        n=n,
        seed=seed,
        sampling=sampling,
        minutes=minutes,
        on_row=on_row,
        notify=notify,
    )


def mutual_information(
    run: str | os.PathLike[str] | FinishedRun,
    folder: str | os.PathLike[str],
    *,
    n: int = INFORMATION_SAMPLES,
    seed: int = SEED,
    device: str = DEVICE,
    on_pair: Callable[[MutualInformation], None] = lambda mi: None,
) -> list[MutualInformation]:
    """Pairwise mutual information (bits) between a run's streams, on held-out samples of a folder.

    Args:
        run: a run folder, a bundled run's name, or a run that is open; one that restores has none.
        folder: paired files with a held-out split.
        n: samples of each pair.
        seed: of the choice of samples and of the noise.
        device: where a run that is named works.
        on_pair: gets each estimate when it is there.

    Raises `BadFolder` if nothing is held out.
    """
    trained = open_run(run, device)
    return ENGINES[trained.run.engine].mutual_information(
        trained, Path(folder), n=n, seed=seed, on_pair=on_pair
    )


def examples(trained: FinishedRun) -> list[str]:
    """Up to three commands to paste, with a held-out file in them."""
    return ENGINES[trained.run.engine].commands(trained)


def open_run(run: str | os.PathLike[str] | FinishedRun, device: str) -> FinishedRun:
    """The run itself if it is open, else opened."""
    return load(run, device=device) if isinstance(run, str | os.PathLike) else run
