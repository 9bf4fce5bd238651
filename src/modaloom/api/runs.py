"""Loading and evaluation of finished runs of any engine."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from modaloom.core.defaults import DEVICE, EVALUATION_SAMPLES, INFORMATION_SAMPLES, SEED
from modaloom.core.errors import BadRun, check_names
from modaloom.data.notices import Notify, silent
from modaloom.engine import EvaluationOptions, FinishedRun
from modaloom.engines import ENGINES, engine_of_run
from modaloom.evaluation.mutual_information import MutualInformation
from modaloom.evaluation.rows import ScoreRow, ScoreRows
from modaloom.loom.config import CodeSamplingOptions
from modaloom.loom.run import TrainedRun
from modaloom.restorer.restoration import RestoredRun
from modaloom.runs.resolve import resolve_run

Trained = TrainedRun | RestoredRun
"""Return type of `train` and `load`: a Loom run or a Restorer run."""


def load(run: str | os.PathLike[str], *, device: str = DEVICE) -> Trained:
    """Loads a finished run.

    Args:
        run: a run folder, or the name of a bundled run: `demo`.
        device: auto | cpu | cuda | mps.

    Raises `BadRun`, `BadValue`.
    """
    path = resolve_run(Path(run))
    found: Trained = engine_of_run(path).load(path, device=device)
    return found


def from_pretrained(directory: str | os.PathLike[str], *, device: str = DEVICE) -> Trained:
    """Loads what a run's `save_pretrained` wrote, or a run, from a local directory; downloads nothing.

    Args:
        directory: the directory.
        device: auto | cpu | cuda | mps.

    Raises `BadRun` for anything but a local directory with a run in it, and `BadValue`.
    """
    if not Path(directory).is_dir():
        raise BadRun(
            f"{directory} is no local directory, and modaloom downloads nothing; fetch the repository first "
            "(hf download NAME --local-dir DIR) and name DIR"
        )
    return load(directory, device=device)


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
    """Scores a run on a folder's held-out samples; each score has its floor, baselines and ceiling.

    Args:
        run: a run folder, a bundled run's name, or a loaded run.
        folder: paired files with a held-out split.
        rows: names of rows, such as "image->caption" or "restore:superres"; default: all.
        n: maximum number of samples per direction and split, at least 1.
        seed: seed of the choice of samples and of generation.
        sampling: fields of `CodeSamplingConfig` that differ from the run's.
        minutes: approximate time budget; if it is short, fewer samples are scored, in the same order, as the
            rows' `n` and `notify` report. None: unlimited.
        device: device for a run that is given by name; a loaded run stays on its device.
        on_row: gets each row as soon as it is computed.
        notify: gets messages, such as about unreadable files and shortened values.

    Raises:
        BadFolder: no held-out data, or a missing stream.
        BadValue: an unknown row, or an option out of its range.
    """
    trained = open_run(run, device)
    options = EvaluationOptions(
        rows=check_names("rows", rows),
        n=n,
        seed=seed,
        sampling=sampling,
        minutes=minutes,
        on_row=on_row,
        notify=notify,
    )
    return ScoreRows(ENGINES[trained.run.engine].evaluate(trained, Path(folder), options))


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
        run: a run folder, a bundled run's name, or a loaded run; empty result for a Restorer run.
        folder: paired files with a held-out split.
        n: number of samples per pair.
        seed: seed of the choice of samples and of the noise.
        device: device for a run that is given by name.
        on_pair: gets each estimate as soon as it is computed.

    Raises:
        BadFolder: no held-out data.
    """
    trained = open_run(run, device)
    return ENGINES[trained.run.engine].mutual_information(
        trained, Path(folder), n=n, seed=seed, on_pair=on_pair
    )


def examples(trained: FinishedRun) -> list[str]:
    """Returns up to three example commands for a run, with a held-out file."""
    return ENGINES[trained.run.engine].commands(trained)


def open_run(run: str | os.PathLike[str] | FinishedRun, device: str) -> FinishedRun:
    """Returns the run, loaded if it is given by name."""
    return load(run, device=device) if isinstance(run, str | os.PathLike) else run
