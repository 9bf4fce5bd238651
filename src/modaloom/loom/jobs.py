"""What a request generates: one job for each sample."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.types import Sample
from modaloom.data.notices import Shortenings
from modaloom.data.reader import Reader
from modaloom.loom.model import BATCH_SIZE
from modaloom.loom.reading import prepared_reader
from modaloom.loom.run import TrainedRun
from modaloom.modalities.base import Value

MISSING = "missing"
"""Value of `want` for a folder: generate the streams that each sample lacks."""


@dataclass(frozen=True)
class Job:
    """One sample to generate."""

    key: str
    given: Mapping[str, Value]
    want: tuple[str, ...]


Jobs = tuple[Iterator[Job], Iterator[Job]]
"""The jobs if all files are readable, with the files' places for values; and the jobs, read one by one."""


def reader_of_given(
    trained: TrainedRun, folder: Path, fixed: Mapping[str, Value], want: Sequence[str], lost: Shortenings
) -> Reader:
    """Reader of the folder's streams that the run has and that are not targets.

    Raises `BadValue` and `BadFolder`.
    """
    index = trained.run.data.open(folder)
    if tuple(want) != (MISSING,):
        want = [check_choice("stream to want", name, trained.model.wanted) for name in want]
    streams = [name for name in trained.model.streams if name in index.modality_of and name not in want]
    if not streams and not fixed:
        raise BadValue(
            f"{folder} has no stream to generate from; the run knows {', '.join(trained.model.streams)}"
        )
    return prepared_reader(trained.model, index, streams, lost, max_skipped_fraction=1)


def jobs_of_rows(
    trained: TrainedRun, rows: Sequence[Mapping[str, Value]], want: Sequence[str], n: int
) -> Jobs:
    """n jobs for each row of given values."""
    if tuple(want) == (MISSING,):
        raise BadValue(f"--want {MISSING} fills the gaps of a FOLDER; name one, or streams that are wanted")
    wanted = tuple(check_choice("stream to want", name, trained.model.wanted) for name in want)
    many = len(rows) > 1 and n > 1

    def jobs() -> Iterator[Job]:
        for i, (row, j) in enumerate(product(rows, range(n))):
            yield Job(f"{i // n:04d}-{j}" if many else f"{i:04d}", row, wanted)

    return jobs(), jobs()


def jobs_of_folder(
    trained: TrainedRun, reader: Reader, fixed: Mapping[str, Value], want: Sequence[str], n: int
) -> Jobs:
    """n jobs for each sample of the reader's folder, from what it has and what is given for all."""

    def listed(sample: Sample) -> Mapping[str, Value]:
        return {name: sample.streams[name] for name in reader.streams if name in sample.streams}

    def jobs(read: Callable[[Sample], Mapping[str, Value]]) -> Iterator[Job]:
        """n jobs for every sample that has target streams and whose present streams are all readable."""
        for sample in reader.folder.samples:
            found = read(sample)
            given = {**found, **fixed}
            lacking = tuple(name for name in trained.model.wanted if name not in given)
            wanted = lacking if tuple(want) == (MISSING,) else tuple(want)
            whole = found.keys() == listed(sample).keys()
            for i in range(n if wanted and given and whole else 0):
                yield Job(sample.key if n == 1 else f"{sample.key}-{i}", given, wanted)

    return jobs(listed), jobs(lambda sample: reader.read(sample).streams)


def batched(jobs: Iterator[Job]) -> Iterator[list[Job]]:
    """Group consecutive jobs with equal given and target streams, up to `BATCH_SIZE` per group."""
    batch: list[Job] = []
    for job in jobs:
        kind = (job.given.keys(), job.want)
        if batch and (len(batch) == BATCH_SIZE or kind != (batch[0].given.keys(), batch[0].want)):
            yield batch
            batch = []
        batch.append(job)
    if batch:
        yield batch
