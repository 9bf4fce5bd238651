"""Generation with a finished run: samples written as plain files, for one condition or a whole folder."""

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from modaloom.core.defaults import DEVICE, DRAWS, FOLDER_DRAWS, SEED
from modaloom.core.errors import (
    BadValue,
    PartlyFailed,
    check_choice,
    check_names,
    shown,
)
from modaloom.core.json_text import to_json
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.data.notices import Notify, Shortenings, once, silent
from modaloom.data.reader import Reader
from modaloom.data.writer import writing
from modaloom.evaluation.scores import cautions, scores
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.model import BATCH_SIZE
from modaloom.loom.neighbours import Neighbours
from modaloom.loom.reading import prepared_reader
from modaloom.loom.run import TrainedRun, check_draws, load
from modaloom.modalities.base import Value

MISSING = "missing"
"""Value of `want` for a folder: generate the streams that each sample lacks."""


class Refiner(Protocol):
    """Post-processes the generated values of one stream."""

    @property
    def run(self) -> str:
        """Its run, as written on a command line."""

    @property
    def stream(self) -> str:
        """The stream that it refines."""

    @property
    def hash(self) -> str:
        """SHA-256 that identifies its model."""

    def refine(self, value: Value, *, seed: int, name: str) -> Value:
        """Returns the refined value; random numbers depend on `seed` and `name` only."""


def generate(
    run: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    *,
    given: Mapping[str, Value] | None = None,
    want: str | Sequence[str],
    out: str | os.PathLike[str],
    n: int | None = None,
    seed: int = SEED,
    sampling: Mapping[str, object] | None = None,
    refiner: Refiner | None = None,
    device: str = DEVICE,
    notify: Notify = silent,
) -> Iterator[Sample]:
    """Generate samples, write them as plain files of the data contract, and yield each.

    The output folder appears when all samples are written. Without `folder`, samples `0000`, `0001`, … are
    generated from `given`. With it, samples are generated for every sample of the folder from the streams
    that it has, under the same key. Samples without a given stream, or with an unreadable one, are skipped.

    Args:
        run: run folder, or the name of a bundled run.
        folder: data folder that provides given streams.
        given: stream → value for all samples, as in `TrainedRun.generate`.
        want: target streams; with `folder` also "missing": the streams that each sample lacks.
        out: folder to create.
        n: samples per condition, 1 to 100,000; default 4 without `folder`, 1 with it.
        seed: seed of the sampling noise, a signed 64-bit integer.
        sampling: overrides of the run's `CodeSamplingConfig`.
        refiner: post-processes one of the generated streams before it is written.
        device: auto | cpu | cuda | mps.
        notify: receives a warning for every direction that is no better than its baseline, and for given
            values that a limit of the run shortens.

    Raises:
        BadValue, BadFile, BadFolder, BadRun: before anything is written.
        PartlyFailed: at the end, if files of the folder could not be read; all other samples are written.
    """
    trained, want = load(run, device=device), check_names("want", want)
    if refiner is not None:
        _check_refiner(refiner, trained, want)
    options = trained.sampling(sampling or {})
    check_draws(1 if n is None else n, seed)
    fixed = trained.values(given)
    lost = Shortenings(trained.run.data.limits)
    for name, value in fixed.items():
        lost.add(name, trained.model.streams[name].tokenizer.shortened(value))
    reader = None if folder is None else _reader(trained, Path(folder), fixed, want, lost)
    jobs = (
        _single(trained, fixed, want, n or DRAWS)
        if reader is None
        else _each(trained, reader, fixed, want, n or FOLDER_DRAWS)
    )
    facts = {
        "seed": seed,
        "model": trained.hash,
        "command": _command(run, folder, _plain(given or {}, fixed), want, n, seed, options),
    }
    if refiner is not None:
        command = f"{facts['command']} --refine {shlex.quote(refiner.run)}"
        facts |= {"refine": refiner.hash, "command": command}
    neighbours, rows, warn = Neighbours.of(trained.path), scores(trained.path), once(notify)
    count, failures = 0, list[str]()
    with writing(out, trained.modality_of) as writer:
        for batch in _batched(jobs):
            for caution in cautions(rows, batch[0].given, batch[0].want):
                warn(caution)
            for sample in _drawn(trained, batch, seed, options):
                nearest = neighbours.nearest(trained.model, sample)
                finished = sample if refiner is None else _refined(refiner, sample, seed)
                writer.write(finished, {**facts, "nearest": nearest})
                count += 1
                yield finished
        if reader is not None:
            failures = reader.failures()
    lost.notify(notify)
    if failures:
        raise PartlyFailed(failures, f"{count:,} samples are in {out}")


def _check_refiner(refiner: Refiner, trained: TrainedRun, want: Sequence[str]) -> None:
    """Raise `BadValue` if the refiner's stream is not among the targets."""
    if refiner.stream not in (trained.model.wanted if tuple(want) == (MISSING,) else want):
        raise BadValue(f"{refiner.run} restores {refiner.stream}, which is not wanted; leave --refine out")


def _refined(refiner: Refiner, sample: Sample, seed: int) -> Sample:
    streams = dict(sample.streams)
    if refiner.stream in streams:
        streams[refiner.stream] = refiner.refine(streams[refiner.stream], seed=seed, name=sample.key)
    return Sample(sample.key, streams)


@dataclass(frozen=True)
class _Job:
    """One sample to generate."""

    key: str
    given: Mapping[str, Value]
    want: tuple[str, ...]


def _single(trained: TrainedRun, given: Mapping[str, Value], want: Sequence[str], n: int) -> Iterator[_Job]:
    if tuple(want) == (MISSING,):
        raise BadValue(f"--want {MISSING} fills the gaps of a FOLDER; name one, or streams that are wanted")
    wanted = tuple(check_choice("stream to want", name, trained.model.wanted) for name in want)
    return (_Job(f"{i:04d}", given, wanted) for i in range(n))


def _reader(
    trained: TrainedRun, folder: Path, fixed: Mapping[str, Value], want: Sequence[str], lost: Shortenings
) -> Reader:
    """Reader of the folder's streams that the run has and that are not targets."""
    index = open_folder(folder)
    if tuple(want) != (MISSING,):
        want = [check_choice("stream to want", name, trained.model.wanted) for name in want]
    streams = [name for name in trained.model.streams if name in index.modality_of and name not in want]
    if not streams and not fixed:
        raise BadValue(
            f"{folder} has no stream to generate from; the run knows {', '.join(trained.model.streams)}"
        )
    return prepared_reader(trained.model, index, streams, lost, max_skipped_fraction=1)


def _each(
    trained: TrainedRun, reader: Reader, fixed: Mapping[str, Value], want: Sequence[str], n: int
) -> Iterator[_Job]:
    """n jobs for every sample that has target streams and whose present streams are all readable."""
    for sample in reader.folder.samples:
        read = reader.read(sample).streams
        given = {**read, **fixed}
        lacking = tuple(name for name in trained.model.wanted if name not in given)
        wanted = lacking if tuple(want) == (MISSING,) else tuple(want)
        whole = all(name in read for name in reader.streams if name in sample.streams)
        for i in range(n if wanted and given and whole else 0):
            yield _Job(sample.key if n == 1 else f"{sample.key}-{i}", given, wanted)


def _batched(jobs: Iterator[_Job]) -> Iterator[list[_Job]]:
    """Group consecutive jobs with equal given and target streams, up to `BATCH_SIZE` per group."""
    batch: list[_Job] = []
    for job in jobs:
        kind = (job.given.keys(), job.want)
        if batch and (len(batch) == BATCH_SIZE or kind != (batch[0].given.keys(), batch[0].want)):
            yield batch
            batch = []
        batch.append(job)
    if batch:
        yield batch


def _drawn(
    trained: TrainedRun, batch: Sequence[_Job], seed: int, sampling: CodeSamplingConfig
) -> Iterator[Sample]:
    given = {name: [job.given[name] for job in batch] for name in batch[0].given}
    keys = [job.key for job in batch]
    drawn = trained.model.generate(
        given, batch[0].want, n=len(batch), seed=seed, names=keys, options=sampling
    )
    yield from (Sample(key, values) for key, values in zip(keys, drawn))


def _command(
    run: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None,
    given: Mapping[str, Value],
    want: Sequence[str],
    n: int | None,
    seed: int,
    sampling: CodeSamplingConfig,
) -> str:
    words = ["modaloom", "generate", str(run), *([str(folder)] if folder else [])]
    for name, value in given.items():
        words += ["--given", f"{name}={command_word(value)}"]
    words += ["--want", ",".join(want), *(["--n", str(n)] if n else []), "--seed", str(seed)]
    for name, chosen in asdict(sampling).items():
        words += [f"--{name.replace('_', '-')}", str(chosen)]
    return shlex.join(words)


def _plain(given: Mapping[str, Value], read: Mapping[str, Value]) -> dict[str, Value]:
    """As given; of records what was read, whose numbers are Python's."""
    return {name: read[name] if isinstance(value, Mapping) else value for name, value in given.items()}


def command_word(value: Value) -> str:
    """Command-line form of a value after `--given STREAM=`: `@FILE`, or a literal with a leading @ doubled.

    A value without a command-line form is represented by its type.
    """
    if isinstance(value, os.PathLike):
        return f"@{os.fspath(value)}"
    if isinstance(value, str):
        return f"@{value}" if value.startswith("@") else value
    return to_json(value) if isinstance(value, Mapping) else shown(value)
