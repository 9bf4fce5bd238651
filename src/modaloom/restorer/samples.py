"""Sample grids for the report of a Restorer run."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from modaloom.core.errors import BadFolder
from modaloom.data.atomic_io import write_json
from modaloom.modalities.unit import from_unit
from modaloom.restorer.evaluation.folder import fitted_cases, read_cases
from modaloom.restorer.evaluation.trials import RestorationCase, RestorationEvaluation
from modaloom.restorer.restoration import RestoredRun
from modaloom.runs.store import INDEX, SAMPLES

NUM_SHOWN = 6
"""Held-out signals in each grid."""


def write_sample_grid(trained: RestoredRun, folder: str) -> None:
    """Writes RUN/samples: the first held-out signals with input, baseline, posterior mean, posterior sample
    and ground truth. Writes nothing if no data is held out."""
    root = trained.path / SAMPLES
    shutil.rmtree(root, ignore_errors=True)
    try:
        cases = read_cases(trained, Path(folder), most=NUM_SHOWN)
    except BadFolder:
        return
    train = fitted_cases(cases.pop("train", []))
    split, held_out = [*cases.items()][-1]
    blocks = [
        _block(trained, root, t, held_out[:NUM_SHOWN])
        for t in RestorationEvaluation.of(trained.restoration, train)
    ]
    write_json(root / INDEX, {"split": split.removeprefix("test-"), "restored": blocks})


def _block(
    trained: RestoredRun, root: Path, trials: RestorationEvaluation, cases: Sequence[RestorationCase]
) -> dict[str, Any]:
    *_, stream = trained.restoration.plan.streams
    rows: list[dict[str, str]] = []
    for i, case in enumerate(cases):
        row = {}
        for role, signal in _roles(trials, case).items():
            value = from_unit(trained.modality, trained.restoration.plan.facts(stream), signal)
            row[role] = f"{trials.name}/{role}/{i:04d}.{stream}.{trained.modality.suffix(value)}"
            path = root / row[role]
            path.parent.mkdir(parents=True, exist_ok=True)
            trained.modality.write(value, path)
        rows.append(row)
    return {"part": trials.name, "stream": stream, "rows": rows}


def _roles(trials: RestorationEvaluation, case: RestorationCase) -> Mapping[str, Tensor]:
    """Column of the grid → signal; the input at its own size, if that differs from the target's."""
    trial, task, want = trials.trial(case), trials.restoration.task, case.signals.target
    assert want is not None
    given = None if task.unconditional else trial.held.input
    plain = given is not None and (not task.is_residual or given.shape[1:] != want.shape[1:])
    found = {
        "given": given if plain or task.unconditional else trial.guess,
        "before": trial.guess if trial.mean is not None else None,
        "baseline": trial.linear,
        "mean": trial.mean,
        "sample": trial.sample,
        "truth": want,
    }
    return {role: signal for role, signal in found.items() if signal is not None}
