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
from modaloom.data.notices import Notify, notify_skipped, silent
from modaloom.data.reader import Reader
from modaloom.evaluation.choice import judge_of
from modaloom.evaluation.directions import all_directions, named_directions
from modaloom.evaluation.held_out import split_of, split_order
from modaloom.evaluation.rows import ScoreRow
from modaloom.loom.evaluation.evaluator import evaluate as score
from modaloom.loom.generation import TrainedRun, load

MAX_TRAIN_SAMPLES = 10_000
"""Training samples that floors, baselines and retrieval may know."""


def evaluate(
    run: str | os.PathLike[str] | TrainedRun,
    folder: str | os.PathLike[str],
    *,
    rows: Sequence[str] = (),
    n: int = EVALUATION_SAMPLES,
    seed: int = SEED,
    sampling: Mapping[str, object] | None = None,
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
        device: where a run that is named works; one that is loaded stays where it is.
        on_row: gets each row when it is there.
        notify: gets the files that could not be read.

    Raises:
        BadFolder: nothing held out, or none of the run's streams.
        BadValue: a direction that cannot be asked or checked, an option out of its range.
    """
    check_range("n", n, 1)
    trained = run if isinstance(run, TrainedRun) else load(run, device=device)
    index = open_folder(Path(folder))
    streams = [name for name in trained.model.streams if name in index.modality_of]
    if not streams:
        raise BadFolder(f"{folder} has none of the run's streams {', '.join(trained.model.streams)}")
    train = _read(trained, index, ("train",), notify, most=MAX_TRAIN_SAMPLES).get("train")
    tests = held_out(trained, index, notify)
    if not tests or not train:
        raise BadFolder(f"{folder} has no training split with a test split beside it; nothing to compare")
    judge = judge_of(index.path, train, tests, trained.modality_of)
    wanted = [name for name in trained.model.wanted if name in streams]
    directions = (
        named_directions(rows, streams, judge, wanted) if rows else all_directions(streams, judge, wanted)
    )
    way = trained.sampling(sampling or {})
    options = {direction.name: way for direction in directions} if sampling else None
    found = []
    for row in score(
        trained.model, train, tests, judge=judge, directions=directions, n=n, seed=seed, options=options
    ):
        found.append(row)
        on_row(row)
    return found


def held_out(trained: TrainedRun, index: Folder, notify: Notify = silent) -> dict[str, list[Sample]]:
    """Test split → samples of values; the validation split where there is no other."""
    names = set(split_of(trained.run.data, index).values())
    tests = sorted((name for name in names if name.startswith("test")), key=split_order)
    return _read(trained, index, tests or ["val"], notify)


def _read(
    trained: TrainedRun, index: Folder, splits: Sequence[str], notify: Notify, *, most: int | None = None
) -> dict[str, list[Sample]]:
    """Split → its samples, read, without splits that have none; of more than `most`, so many at random.

    At random, because names tell of what they name: the first of many may all be of one class.
    """
    streams = [name for name in trained.model.streams if name in index.modality_of]
    reader, of = Reader(index, streams=streams), split_of(trained.run.data, index)
    by_split = {split: [s for s in index.samples if of[s.key] == split] for split in splits}
    found = {split: [reader.read(s) for s in _some(there, most)] for split, there in by_split.items()}
    notify_skipped(reader, notify)
    return {split: samples for split, samples in found.items() if samples}


def _some(samples: Sequence[Sample], most: int | None) -> Sequence[Sample]:
    if most is None or len(samples) <= most:
        return samples
    picked = torch.randperm(len(samples), generator=generator(0, "library"))[:most]
    return [samples[i] for i in sorted(picked.tolist())]
