"""The training itself, on rank 0, and what the other ranks do meanwhile."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from modaloom.api.callbacks import TrainCallbacks
from modaloom.api.ending import finish
from modaloom.api.runs import Trained
from modaloom.core.defaults import TRAIN_MINUTES
from modaloom.core.distributed import Distributed
from modaloom.core.errors import BadRun, bounded, check_choice
from modaloom.data.atomic_io import digest
from modaloom.data.cache import fingerprint
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, notify_left_out, notify_recognised, notify_skipped, silent
from modaloom.data.reader import Reader
from modaloom.engine import Engine, Trainer
from modaloom.engines import ENGINES, engine_of_run
from modaloom.evaluation.learnable import few_samples
from modaloom.report.page import write_report
from modaloom.runs.caches import Caches
from modaloom.runs.model import Part
from modaloom.runs.store import CONFIG, RunFolder
from modaloom.training.accelerator import Accelerator

REPORT_SECONDS = 60.0
"""Interval in seconds at which the report is rewritten during training."""
MAX_COMPARED = 1000
"""Samples whose files are compared between the ranks."""


@dataclass(frozen=True)
class Job:
    """What rank 0 tells the others to train."""

    run: str
    folder: str = ""
    """The data; empty: the run is finished."""
    precision: str = ""
    shard: bool = False


@dataclass(frozen=True)
class Asked:
    """What a training is asked for beside its configuration."""

    folder: Path | None
    steps: int | Mapping[str, int] | None
    device: str
    samples: int
    callbacks: TrainCallbacks
    ranks: Distributed
    shard: bool
    waiting: ExitStack
    """Holds `ranks.first()`: the others wait for their job, and at the end for the scores."""

    def tell(self, job: Job) -> None:
        """Let the other ranks begin."""
        self.waiting.close()
        self.ranks.share(asdict(job))


def fit_and_finish(run: RunFolder[Any], alone: Accelerator, asked: Asked) -> Trained:
    """Trains a run with all ranks, evaluates it and writes its report.

    Args:
        run: open for writing.
        alone: device and precision, of this process.
        asked: the rest.
    """
    config = run.run()
    engine, folder = ENGINES[config.engine], asked.folder or Path(run.data()["folder"])
    accelerator = Accelerator(asked.device, alone.precision, asked.ranks, shard=asked.shard)
    places = str(run.path.absolute()), str(folder.absolute())
    asked.tell(Job(*places, accelerator.precision, asked.shard))
    parts, usage = _fit(run, engine, folder, accelerator, asked)
    return finish(run, engine, parts, usage, accelerator, asked.samples, asked.callbacks)


def follow(ranks: Distributed, device: str) -> Path:
    """Trains as any rank but the first, to the end; returns the finished run."""
    with ranks.first():
        job = Job(**ranks.share(None))
    path = Path(job.run)
    if not job.folder:
        return path
    engine = engine_of_run(path)
    run = RunFolder.follow(path, engine.config)
    index = _opened(run, Path(job.folder), ranks)
    with ranks.in_turn():
        accelerator = Accelerator(device, job.precision, ranks, shard=job.shard)
        trainer = engine.trainer(run, index, accelerator, notify=silent)
    for _ in trainer.steps():
        pass
    with ranks.first():
        return path


def _fit(
    run: RunFolder[Any],
    engine: Engine[Any, Any],
    folder: Path,
    accelerator: Accelerator,
    asked: Asked,
) -> tuple[dict[str, Part], Mapping[str, Any]]:
    """Trains; returns the parts of the model and the usage of its codes. The data are then released."""
    callbacks = asked.callbacks
    index = _opened(run, folder, asked.ranks)
    with asked.ranks.in_turn():
        notify_recognised(index, callbacks.notify)
        notify_left_out(index, callbacks.notify)
        fresh = not run.has_data()
        trainer = engine.trainer(run, index, accelerator, notify=callbacks.notify)
        _freeze(run, trainer.stages, asked.steps)
        if fresh:
            _say_what_few_teach(run, index, callbacks.notify)
    shown, last = time.monotonic(), None
    for step in trainer.steps():
        last = step
        callbacks.on_step(step)
        if step.whole and (time.monotonic() - shown > REPORT_SECONDS or step.step == 1):
            engine.write_snapshot(trainer, step)
            write_report(run.path)
            shown = time.monotonic()
    asked.waiting.enter_context(asked.ranks.first())  # to the end of the command
    if last is not None:
        engine.write_snapshot(trainer, last)
    _skipped(run, trainer, callbacks)
    return trainer.parts(), trainer.usage()


def _opened(run: RunFolder[Any], path: Path, ranks: Distributed) -> Folder:
    """The data. Raises `BadRun` if a rank finds another run folder, or other data, than rank 0."""
    with ranks.in_turn():
        index: Folder = run.run().data.open(path)
        first = [*islice(index.samples, MAX_COMPARED)]
        stamps = [fingerprint(first, stream) for stream in sorted(index.modality_of)]
        found = [digest((run.path / CONFIG).read_bytes()), len(index.samples), *stamps]
    others = ranks.gather(torch.tensor([found != ranks.share(found)])).nonzero().flatten().tolist()
    if others:
        raise BadRun(
            f"rank {bounded(others)} does not find what rank 0 does in {run.path} and {path}; run folder and "
            "data must be the same files for all"
        )
    return index


def _say_what_few_teach(run: RunFolder[Any], index: Folder, notify: Notify) -> None:
    """Tells what the training samples can teach, if they are few."""
    keys = {*caches.keys} if (caches := Caches.of(run.path)) else set()
    reader = Reader(index, streams=[*run.data()["streams"]], max_skipped_fraction=1)
    for line in few_samples(reader, [sample for sample in index.samples if sample.key in keys]):
        notify(line)


def _freeze(run: RunFolder[Any], stages: Sequence[str], steps: int | Mapping[str, int] | None) -> None:
    """Writes the steps into the run's configuration. Raises `BadValue` for an unknown stage."""
    config = run.run()
    by_stage = dict.fromkeys(stages, steps) if isinstance(steps, int) else dict(steps or {})
    for stage in by_stage:
        check_choice("stage", stage, stages)
    training = replace(config.training, steps={**config.training.steps, **by_stage})
    if training.minutes is None and not set(stages) <= set(training.steps):
        training = replace(training, minutes=TRAIN_MINUTES)
    run.save_run(replace(config, training=training))


def _skipped(run: RunFolder[Any], trainer: Trainer, callbacks: TrainCallbacks) -> None:
    """Reports unreadable files by `notify` and in data.json."""
    skips = [f"{one.path}: {one.reason}" for one in trainer.reader.problems]
    run.save_data({**run.data(), "skipped": skips[:100], "skips": len(skips)})
    notify_skipped(trainer.reader, callbacks.notify)
