"""How good a run is on a folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from modaloom.api.trained import TrainedRun, load
from modaloom.core.errors import BadFolder
from modaloom.core.types import Sample
from modaloom.data.folder import Folder, open_folder
from modaloom.data.reader import Reader
from modaloom.data.split import split
from modaloom.evaluation.evaluator import evaluate as score
from modaloom.evaluation.judge import Judge
from modaloom.evaluation.parsed import ParsedJudge, read_facts
from modaloom.evaluation.plain import PlainJudge
from modaloom.evaluation.rows import Row
from modaloom.world.write import FACTS

LIBRARY = 4000
"""Training samples that floors, baselines and retrieval may know."""


def evaluate(
    run: str | os.PathLike[str] | TrainedRun,
    folder: str | os.PathLike[str],
    *,
    n: int = 500,
    seed: int = 0,
    watch: Callable[[Row], None] = lambda row: None,
) -> list[Row]:
    """Every row that the folder's streams allow, on its test splits (else its validation split).

    Training samples for floors, baselines and retrieval come from the folder's own training split. A world's
    folder is judged by parsing, any other by comparing with the truth.

    Raises:
        BadFolder: nothing held out, or none of the run's streams.
    """
    trained = run if isinstance(run, TrainedRun) else load(run)
    index = open_folder(Path(folder))
    streams = [name for name in trained.model.streams if name in index.modality_of]
    if not streams:
        raise BadFolder(f"{folder} has none of the run's streams {', '.join(trained.model.streams)}")
    train, tests = _read(trained, index, ("train",)).get("train", [])[:LIBRARY], held_out(trained, index)
    if not tests or not train:
        raise BadFolder(f"{folder} has no training split with a test split beside it; nothing to compare")
    asked = judge(index, train, trained.modality_of)
    rows = []
    for row in score(trained.model, train, tests, judge=asked, n=n, seed=seed):
        rows.append(row)
        watch(row)
    return rows


def judge(index: Folder, train: Sequence[Sample], modality_of: Mapping[str, str]) -> Judge:
    """Parsing for a world, comparing for any other folder."""
    facts = index.path / FACTS
    return ParsedJudge(read_facts(facts)) if facts.exists() else PlainJudge.fit(train, modality_of)


def held_out(trained: TrainedRun, index: Folder) -> dict[str, list[Sample]]:
    """Test split → samples of values; the validation split where there is no other."""
    names = set(_splits(trained, index).values())
    tests = sorted((name for name in names if name.startswith("test")), key=_order)
    return _read(trained, index, tests or ["val"])


def _order(split: str) -> tuple[bool, str]:
    """What resembles the training data first."""
    return not split.endswith("seen"), split


def _splits(trained: TrainedRun, index: Folder) -> Mapping[str, str]:
    by = trained.run.data.split_by
    return split(index, by=None if by == "key" else by)


def _read(trained: TrainedRun, index: Folder, names: Sequence[str]) -> dict[str, list[Sample]]:
    streams = [name for name in trained.model.streams if name in index.modality_of]
    reader, split_of = Reader(index, streams=streams), _splits(trained, index)
    found: dict[str, list[Sample]] = {name: [] for name in names}
    for sample in index.samples:
        if split_of[sample.key] in found:
            found[split_of[sample.key]].append(reader.read(sample))
    return {name: samples for name, samples in found.items() if samples}
