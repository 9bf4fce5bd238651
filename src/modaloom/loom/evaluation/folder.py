"""Evaluation of a run on a folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import torch

from modaloom.core.defaults import DEVICE, EVALUATION_SAMPLES, SEED
from modaloom.core.errors import BadFolder, bounded, check_range
from modaloom.core.rng import generator
from modaloom.core.types import Sample
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, notify_skipped, silent
from modaloom.data.reader import Reader
from modaloom.evaluation.budget import Budget
from modaloom.evaluation.choice import judge_of
from modaloom.evaluation.directions import all_directions, most_wanted, named_directions
from modaloom.evaluation.held_out import split_of, split_order
from modaloom.evaluation.rows import ScoreRow
from modaloom.loom.evaluation.evaluator import evaluate as score
from modaloom.loom.reading import prepared_reader
from modaloom.loom.run import TrainedRun, load

MAX_SAMPLES, MAX_ELEMENTS = 10_000, 2**28
"""Maximum number of samples per split, and of elements of their prepared values, that are read."""
READ_FRACTION = 0.2
"""Fraction of the time for reading training samples, and of the rest for reading held-out samples."""
LEFT_OUT = (
    "{} of {} directions are scored, of each target that from all other streams first; modaloom evaluate "
    "scores all, with --rows 'GIVEN->WANTED' those that are named"
)
MIN_READ = 100
"""Minimum number of samples read per split, if available, whatever the time budget."""


def evaluate(
    run: str | os.PathLike[str] | TrainedRun,
    folder: str | os.PathLike[str],
    *,
    rows: Sequence[str] = (),
    n: int = EVALUATION_SAMPLES,
    seed: int = SEED,
    sampling: Mapping[str, object] | None = None,
    minutes: float | None = None,
    most: int | None = None,
    device: str = DEVICE,
    on_row: Callable[[ScoreRow], None] = lambda row: None,
    notify: Notify = silent,
) -> list[ScoreRow]:
    """Score a run on the folder's test splits (else its validation split).

    Training samples for floors, baselines and retrieval come from the folder's own training split. Answers on
    a world's folder are scored by parsing, all others by comparison with the ground truth and by the model's
    likelihood bounds.

    Args:
        run: a loaded run, or a run folder or bundled run to load.
        folder: data folder with a training split and a held-out split.
        rows: directions such as "image->caption" or "image+question->answer"; default: all directions between
            the folder's streams.
        n: maximum number of samples per direction and split, ≥ 1; fewer if there are many directions.
        seed: seed of the sample selection, the sampling noise and the intervals.
        sampling: overrides of the run's `CodeSamplingConfig`.
        minutes: approximate time budget, > 0; if it is short, fewer samples are read and evaluated. None:
            unlimited.
        most: maximum number of directions if `rows` names none, as of `most_wanted`; the others are told.
            None: all.
        device: device of a run that is loaded here: auto | cpu | cuda | mps.
        on_row: called with each row as soon as it is computed.
        notify: receives warnings about unreadable files, values that a limit of the run shortens, and work
            skipped for lack of time.

    Raises:
        BadFolder: no training or held-out split, or none of the run's streams.
        BadValue: a direction that cannot be generated or scored, or an option out of range.
    """
    check_range("n", n, 1)
    if minutes is not None:
        check_range("minutes", minutes, 0, open_low=True)
    budget = Budget.of(minutes)
    trained = run if isinstance(run, TrainedRun) else load(run, device=device)
    index = trained.run.data.open(Path(folder))
    streams = [name for name in trained.model.streams if name in index.modality_of]
    if not streams:
        raise BadFolder(f"{folder} has none of the run's streams {', '.join(trained.model.streams)}")
    reading = FolderReading(trained, index, streams, notify)
    train = reading.read(("train",), budget=budget.part(READ_FRACTION)).get("train")
    tests = reading.read(reading.tests, budget=budget.part(READ_FRACTION))
    reading.tell()
    if not tests or not train:
        raise BadFolder(f"{folder} has no training split with a test split beside it; nothing to compare")
    judge = judge_of(index.path, train, tests, trained.modality_of, trained.model.specs)
    wanted = [name for name in trained.model.wanted if name in streams]
    if rows:
        directions = named_directions(rows, streams, judge, wanted)
    else:
        every = all_directions(streams, judge, wanted)
        directions = most_wanted(every, trained.model.sizes, most or len(every))
        if len(directions) < len(every):
            notify(LEFT_OUT.format(len(directions), len(every)))
    held_out = [sample for samples in tests.values() for sample in samples]
    if not any(sample.streams.keys() >= {*one.streams} for one in directions for sample in held_out):
        asked = bounded([one.name for one in directions]) or "a direction"
        raise BadFolder(f"no held-out sample of {folder} has the streams of {asked}; nothing can be scored")
    way = trained.sampling(sampling or {})
    options = {direction.name: way for direction in directions} if sampling else None
    found = []
    for row in score(
        trained.model,
        train,
        tests,
        judge=judge,
        directions=directions,
        n=n,
        seed=seed,
        options=options,
        budget=budget,
        notify=notify,
    ):
        found.append(row)
        on_row(row)
    return found


def held_out(trained: TrainedRun, index: Folder, notify: Notify = silent) -> dict[str, list[Sample]]:
    """Test split (else validation split) → samples with the model's limits applied."""
    streams = [name for name in trained.model.streams if name in index.modality_of]
    reading = FolderReading(trained, index, streams, notify)
    found = reading.read(reading.tests)
    reading.tell()
    return found


class FolderReading:
    """Reads splits of a folder with the limits of the run's model applied.

    Args:
        trained: the run.
        index: the folder.
        streams: streams to read.
        notify: receives warnings.
    """

    def __init__(
        self, trained: TrainedRun, index: Folder, streams: Sequence[str], notify: Notify = silent
    ) -> None:
        self.index, self.model, self.notify = index, trained.model, notify
        self.of = split_of(trained.run.data, index)
        self.lost = trained.shortenings()
        self.reader = prepared_reader(trained.model, index, streams, self.lost)

    @property
    def tests(self) -> list[str]:
        """Names of the test splits, else of the validation split."""
        names = {name for name in self.of.values() if name.startswith("test")}
        return sorted(names, key=split_order) or ["val"]

    @cached_property
    def most(self) -> int:
        """Maximum number of samples of a split that are read."""
        reader = Reader(self.index, streams=self.reader.streams, max_skipped_fraction=1)
        size = sum(
            self.model.streams[name].tokenizer.prepare(value).size
            for name in reader.streams
            for value in islice(reader.column(name), 1)
        )
        return max(1, min(MAX_SAMPLES, MAX_ELEMENTS // size)) if size else MAX_SAMPLES

    def read(self, splits: Sequence[str], *, budget: Budget | None = None) -> dict[str, list[Sample]]:
        """Split → its samples, without empty splits.

        At most `most` samples per split, and as many as the budget allows, in random order: key order may be
        correlated with content, so the first keys may all be of one class.
        """
        found, budget = {}, budget or Budget()
        for i, name in enumerate(splits):
            there = [s for s in self.index.samples if self.of[s.key] == name]
            order = torch.randperm(len(there), generator=generator(0, "library"))[: self.most].tolist()
            part = budget.part(1 / (len(splits) - i))
            read = {place: self.reader.read(there[place]) for place in part.take(order, MIN_READ)}
            if len(read) < len(order):
                self.notify(f"time was short: {len(read)} of {len(order)} samples of {name} are read")
            found[name] = [read[place] for place in sorted(read)]
        return {split: samples for split, samples in found.items() if samples}

    def tell(self) -> None:
        """Report unreadable files and shortened values to `notify`."""
        notify_skipped(self.reader, self.notify)
        self.lost.notify(self.notify)
