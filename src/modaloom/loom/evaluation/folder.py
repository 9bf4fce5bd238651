"""How good a run is on a folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

from modaloom.core.defaults import DEVICE, EVALUATION_SAMPLES, SEED
from modaloom.core.errors import BadFolder, check_range
from modaloom.core.rng import generator
from modaloom.core.types import Sample
from modaloom.data.folder import Folder, open_folder
from modaloom.data.notices import Notify, Shortenings, notify_skipped, silent
from modaloom.evaluation.budget import Budget
from modaloom.evaluation.choice import judge_of
from modaloom.evaluation.directions import all_directions, named_directions
from modaloom.evaluation.held_out import split_of, split_order
from modaloom.evaluation.rows import ScoreRow
from modaloom.loom.evaluation.evaluator import evaluate as score
from modaloom.loom.generation import TrainedRun, load
from modaloom.loom.reading import prepared_reader

MAX_TRAIN_SAMPLES = 10_000
"""Training samples that floors, baselines and retrieval may know."""
READ_FRACTION = 0.2
"""Of the time: reading the training samples; of what is left, reading the held-out ones."""
MIN_READ = 100
"""Samples of a split that are read if there are, however little time there is."""


def evaluate(
    run: str | os.PathLike[str] | TrainedRun,
    folder: str | os.PathLike[str],
    *,
    rows: Sequence[str] = (),
    n: int = EVALUATION_SAMPLES,
    seed: int = SEED,
    sampling: Mapping[str, object] | None = None,
    minutes: float | None = None,
    device: str = DEVICE,
    on_row: Callable[[ScoreRow], None] = lambda row: None,
    notify: Notify = silent,
) -> list[ScoreRow]:
    """Rows on the folder's test splits (else its validation split).

    Training samples for floors, baselines and retrieval come from the folder's own training split. A world's
    folder is judged by parsing, any other by comparing with the truth and by the model's own bits.

    Args:
        rows: directions such as "image->caption" or "image+question->answer"; default every one that the
            folder's streams allow.
        n: most samples a direction and split; fewer where there are many directions.
        sampling: fields of `CodeSamplingConfig` that differ from the run's.
        minutes: about how long it may take; where they are short, fewer samples are read and asked. None: as
            long as it takes.
        device: where a run that is named works; one that is loaded stays where it is.
        on_row: gets each row when it is there.
        notify: gets the files that could not be read, the values that a limit of the run shortens, and what
            there was no time for.

    Raises:
        BadFolder: nothing held out, or none of the run's streams.
        BadValue: a direction that cannot be asked or checked, an option out of its range.
    """
    check_range("n", n, 1)
    if minutes is not None:
        check_range("minutes", minutes, 0, open_low=True)
    budget = Budget.of(minutes)
    trained = run if isinstance(run, TrainedRun) else load(run, device=device)
    index = open_folder(Path(folder))
    streams = [name for name in trained.model.streams if name in index.modality_of]
    if not streams:
        raise BadFolder(f"{folder} has none of the run's streams {', '.join(trained.model.streams)}")
    reading = FolderReading(trained, index, streams, notify)
    train = reading.read(("train",), most=MAX_TRAIN_SAMPLES, budget=budget.part(READ_FRACTION)).get("train")
    tests = reading.read(reading.tests, budget=budget.part(READ_FRACTION))
    reading.tell()
    if not tests or not train:
        raise BadFolder(f"{folder} has no training split with a test split beside it; nothing to compare")
    judge = judge_of(index.path, train, tests, trained.modality_of, trained.model.specs)
    wanted = [name for name in trained.model.wanted if name in streams]
    directions = (
        named_directions(rows, streams, judge, wanted) if rows else all_directions(streams, judge, wanted)
    )
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
    """Test split → samples of prepared values; the validation split where there is no other."""
    streams = [name for name in trained.model.streams if name in index.modality_of]
    reading = FolderReading(trained, index, streams, notify)
    found = reading.read(reading.tests)
    reading.tell()
    return found


class FolderReading:
    """Reads splits of a folder as the run's model prepares values."""

    def __init__(
        self, trained: TrainedRun, index: Folder, streams: Sequence[str], notify: Notify = silent
    ) -> None:
        self.index, self.notify = index, notify
        self.of = split_of(trained.run.data, index)
        self.lost = Shortenings(trained.run.data.limits)
        self.reader = prepared_reader(trained.model, index, streams, self.lost)

    @property
    def tests(self) -> list[str]:
        """The test splits, else the validation split."""
        names = {name for name in self.of.values() if name.startswith("test")}
        return sorted(names, key=split_order) or ["val"]

    def read(
        self, splits: Sequence[str], *, most: int | None = None, budget: Budget | None = None
    ) -> dict[str, list[Sample]]:
        """Split → its samples, without splits that have none; of more than `most`, or than there is time for,
        so many at random.

        At random, because names tell of what they name: the first of many may all be of one class.
        """
        found, budget = {}, budget or Budget()
        for i, name in enumerate(splits):
            there = [s for s in self.index.samples if self.of[s.key] == name]
            order = torch.randperm(len(there), generator=generator(0, "library"))[:most].tolist()
            part = budget.part(1 / (len(splits) - i))
            read = {place: self.reader.read(there[place]) for place in part.take(order, MIN_READ)}
            if len(read) < len(order):
                self.notify(f"time was short: {len(read)} of {len(order)} samples of {name} are read")
            found[name] = [read[place] for place in sorted(read)]
        return {split: samples for split, samples in found.items() if samples}

    def tell(self) -> None:
        """Files that could not be read, and values that were shortened."""
        notify_skipped(self.reader, self.notify)
        self.lost.notify(self.notify)
