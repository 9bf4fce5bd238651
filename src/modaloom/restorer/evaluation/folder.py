"""Evaluation of a Restorer run on a folder."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from modaloom.core.axes import by_axis
from modaloom.core.defaults import DEVICE, EVALUATION_SAMPLES, SEED
from modaloom.core.errors import BadFolder, check_choice, check_range
from modaloom.core.types import Sample
from modaloom.data.notices import Notify, notify_skipped, silent
from modaloom.data.reader import Reader
from modaloom.evaluation.budget import Budget
from modaloom.evaluation.held_out import split_of, split_order
from modaloom.evaluation.rows import ScoreRow
from modaloom.restorer.evaluation.trials import RestorationCase, RestorationEvaluation, target_of
from modaloom.restorer.restoration import RestoredRun, load_restored
from modaloom.restorer.signal_dataset import SignalSource, check_same_size, read_as, signal_sources, take
from modaloom.restorer.tasks import Signals
from modaloom.transforms.crop import Packed

MAX_SIDES: Mapping[int, Sequence[int]] = {1: (32_768,), 2: (96, 96), 3: (8, 96, 96)}
"""Number of axes → maximum side lengths of the centre crop that is scored; whole signals are not cropped."""
SIDE_MULTIPLE = 4
"""Sides of the centre crop, but in the time of clips, are multiples of it; residual tasks skip signals with a
shorter side."""
MIN_SIGNALS = 4
"""Minimum number of signals that each subtask and split is scored on, whatever the time budget."""
NUM_FILTER_SIGNALS = 32
"""Training signals that the linear filter is fitted to; of clips, frames."""


def score_restored(
    run: str | os.PathLike[str] | RestoredRun,
    folder: str | os.PathLike[str],
    *,
    rows: Sequence[str] = (),
    n: int = EVALUATION_SAMPLES,
    seed: int = SEED,
    minutes: float | None = None,
    device: str = DEVICE,
    on_row: Callable[[ScoreRow], None] = lambda row: None,
    notify: Notify = silent,
) -> list[ScoreRow]:
    """Scores every subtask of a Restorer run on centre crops of the folder's held-out signals.

    Args:
        run: a loaded run, or the path of one.
        folder: the data.
        rows: names of rows, such as "restore:superres"; empty: all.
        n: maximum number of signals per subtask and split, at least 1.
        minutes: approximate time budget, more than 0; if it is short, fewer signals are scored. None:
            unlimited.
        device: device for a run that is given by its path.
        on_row: gets each row as soon as it is computed.
        notify: gets messages about unreadable files, and about rows with fewer signals.
        seed: seed of degradations, samples and intervals.

    Raises:
        BadFolder: no held-out data, or a missing stream.
        BadValue: an unknown row, or an option out of its range.
    """
    check_range("n", n, 1)
    if minutes is not None:
        check_range("minutes", minutes, 0, open_low=True)
    budget = Budget.of(minutes)
    trained = run if isinstance(run, RestoredRun) else load_restored(run, device=device)
    cases = read_cases(trained, Path(folder), notify, most=n)
    train = fitted_cases(cases.pop("train", []))
    every = [*RestorationEvaluation.of(trained.restoration, train, seed=seed)]
    names = [f"restore:{trials.name}" for trials in every]
    asked = [check_choice("row", row, names) for row in rows] or names
    found, short = [], 0
    parts = [(t, *case) for t, name in zip(every, names) if name in asked for case in cases.items()]
    for i, (trials, place, held_out) in enumerate(parts):
        part = budget.part(1 / (len(parts) - i))
        tried = [trials.trial(case) for case in part.take(held_out[:n], MIN_SIGNALS)]
        short += len(tried) < len(held_out[:n])
        for row in trials.rows(place.removeprefix("test-"), held_out[: len(tried)], tried):
            found.append(row)
            on_row(row)
    if short:
        notify(f"time was short: {short} of {len(parts)} parts and splits are scored on fewer signals; see n")
    return found


def fitted_cases(train: Sequence[RestorationCase]) -> Sequence[RestorationCase]:
    """Those that the linear filter is fitted to."""
    frames = [target.shape[1] if target.ndim == 4 else 1 for target in map(target_of, train[:1])]
    return train[: NUM_FILTER_SIGNALS // max(frames, default=1)]


def read_cases(
    trained: RestoredRun, folder: Path, notify: Notify = silent, *, most: int
) -> dict[str, list[RestorationCase]]:
    """Returns the cases of `train` and of every test split, or of the validation split if there is none.

    Args:
        trained: the run.
        folder: the data.
        notify: gets messages about unreadable files.
        most: at most max(`most`, NUM_FILTER_SIGNALS) cases of each split are read.

    Raises:
        BadFolder: no held-out data, or a missing stream.
    """
    plan = trained.restoration.plan
    index = read_as(trained.run.data.open(folder), plan.streams, plan.modality)
    of = split_of(trained.run.data, index)
    tests = sorted({s for s in of.values() if s.startswith("test")}, key=split_order) or ["val"]
    reader = Reader(index, streams=plan.streams)
    columns = [*signal_sources(trained.run, plan)]
    found = {
        place: [
            *_cases(
                trained,
                reader,
                columns,
                [s for s in index.samples if of[s.key] == place][: max(most, NUM_FILTER_SIGNALS)],
            )
        ]
        for place in ("train", *tests)
    }
    notify_skipped(reader, notify)
    if not any(found[place] for place in tests):
        raise BadFolder(f"{folder} has nothing held out to judge the run on; add files")
    return {place: cases for place, cases in found.items() if cases}


def _cases(
    trained: RestoredRun, reader: Reader, columns: Sequence[SignalSource], samples: Sequence[Sample]
) -> Iterator[RestorationCase]:
    for sample in samples:
        values = reader.read(sample).streams
        if all(column.stream in values for column in columns):
            taken = [take(sample.key, column, values[column.stream]) for column in columns]
            check_same_size(sample.key, [signal.shape[1:] for signal in taken])
            if not trained.restoration.task.is_residual or _is_scored(taken[0]):
                shown = taken if trained.restoration.plan.spec else map(_middle, taken)
                signals = (column.to_unit(signal) for column, signal in zip(columns, shown, strict=True))
                yield RestorationCase(sample.key, Signals(*signals, scale=trained.restoration.plan.scale))


def _multiples(signal: Packed) -> tuple[int, ...]:
    return by_axis(signal.ndim - 1, SIDE_MULTIPLE, 1)


def _is_scored(signal: Packed) -> bool:
    """Whether a centre crop can be cut."""
    return all(n >= least for n, least in zip(signal.shape[1:], _multiples(signal)))


def _middle(signal: Packed) -> Packed:
    """Returns the centre crop, with at most MAX_SIDES positions."""
    most = MAX_SIDES[signal.ndim - 1]
    sides = [min(n, m) // f * f or n for n, m, f in zip(signal.shape[1:], most, _multiples(signal))]
    starts = [(n - side) // 2 for n, side in zip(signal.shape[1:], sides)]
    box = (slice(None), *(slice(start, start + side) for start, side in zip(starts, sides)))
    return np.ascontiguousarray(signal[box])
