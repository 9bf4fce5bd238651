"""Training: from a data folder to a finished run."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from modaloom.api.callbacks import TrainCallbacks, default_callbacks
from modaloom.api.configuring import check_finished, check_folder, check_same, check_start, configure
from modaloom.api.ending import model_card, reproduce, scoring_minutes
from modaloom.api.places import check_vacant, undone
from modaloom.api.runs import Trained
from modaloom.core.defaults import DEVICE, PRESET, TRAIN_MINUTES, TRAIN_SAMPLES
from modaloom.core.errors import BadRun, ModaloomError, check_choice
from modaloom.data.atomic_io import write_json
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, notify_left_out, notify_recognised, notify_skipped, once
from modaloom.data.reader import Reader
from modaloom.engine import Engine, EvaluationOptions, Trainer
from modaloom.engines import ENGINES, engine_of_run
from modaloom.evaluation.headline import headlines, sentence
from modaloom.evaluation.learnable import few_samples
from modaloom.evaluation.scores import diagnosis, warnings
from modaloom.loom.mutual_information import write_mutual_information
from modaloom.report.page import write_report
from modaloom.runs.caches import Caches
from modaloom.runs.config import RunConfig
from modaloom.runs.model import Part, save_model
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import CONFIG, SCORES, USAGE, RunFolder
from modaloom.training.accelerator import Accelerator

MAX_MI_SAMPLES = 100
"""Maximum number of samples per pair for mutual information at the end of a training."""
SHOWING_FRACTION = 0.35
"""Fraction of that time for the samples of the report."""
REPORT_SECONDS = 60.0
"""Interval in seconds at which the report is rewritten during training."""


def train(
    folder: str | os.PathLike[str] | None = None,
    *,
    out: str | os.PathLike[str],
    streams: str | Sequence[str] = (),
    task: str = "",
    tokenizers: str | os.PathLike[str] = "",
    start: str | os.PathLike[str] = "",
    preset: str = PRESET,
    minutes: float | None = None,
    steps: int | Mapping[str, int] | None = None,
    seed: int | None = None,
    config: str | os.PathLike[str] | RunConfig | None = None,
    settings: str | Sequence[str] = (),
    resume: bool = False,
    device: str = DEVICE,
    samples: int = TRAIN_SAMPLES,
    callbacks: TrainCallbacks | None = None,
) -> Trained:
    """Trains a tokenizer for every stream and a Loom over them, evaluates them and writes the report.

    With a task, trains a Restorer of one stream, or from one stream to another.

    Args:
        folder: paired files; not needed to resume a run.
        out: the run folder.
        streams: stream, or streams, to train on; empty: all.
        task: a name in TASKS; empty: a Loom.
        tokenizers: a run whose tokenizers are taken as they are for the streams that it has, for instance
            one of unpaired data; of the task `refine`, the run whose reconstructions are the inputs.
        start: a run that is adapted: its configuration, its tokenizers as they are, its other weights as the
            start, with 0.3 of its learning rates; further streams of the folder are learned anew. Of a
            Restorer, its network, linear filters and normalizer, for the same task and channels.
        preset: auto (sizes follow the data, the device and the minutes) | tiny | small | base; ignored if
            `config` is given, auto is tiny if `steps` are.
        config: a `RunConfig` of an engine, or a TOML or JSON file of one.
        minutes: wall-clock budget of the training, split over its stages; default 15. Replaces the minutes
            and steps of `config`.
        steps: number of steps of every stage, or by stage; replaces minutes.
        seed: replaces the configuration's seed, 0 by default.
        settings: KEY=VALUE string, or strings, such as "loom.num_layers=6", applied last.
        resume: resume the run in `out` with its configuration; start it if there is none, and do nothing if
            it is finished.
        device: auto | cpu | cuda | mps.
        samples: maximum number of test samples per direction and split.
        callbacks: progress callbacks; None: a progress display in a notebook, else none.

    Raises:
        ModaloomError: invalid arguments or data, before anything is written.
        WorkFailed: NaN, a full disk, or a stop signal (with a checkpoint saved).
    """
    callbacks = callbacks or default_callbacks()
    callbacks = replace(callbacks, notify=once(callbacks.notify))
    path, data = Path(out), Path(folder) if folder else None
    complete = partial(
        configure,
        preset=preset,
        settings=settings,
        streams=streams,
        task=task,
        tokenizers=tokenizers,
        start=start,
        minutes=minutes,
        seed=seed,
    )
    automatic = config is None and preset == PRESET and not start
    if resume and (path / CONFIG).exists():
        return _resume(
            path,
            data,
            steps,
            device,
            samples,
            callbacks,
            lambda kept: complete(config=kept if automatic or start else config),
            start,
        )
    if data is None:
        raise BadRun(f"{path} is no run that could be resumed; name the folder to train on")
    whole = complete(config=config)
    accelerator = Accelerator(device, whole.training.precision)
    index = whole.data.open(data)
    runs = {"tokenizers": tokenizers, "weights": start}
    places = {name: str(resolve_run(Path(run)).absolute()) if run else "" for name, run in runs.items()}
    whole = ENGINES[whole.engine].with_start(whole, index, **places)
    check_vacant(path)
    if path.resolve().is_relative_to(data.resolve()):
        raise BadRun(f"{path} lies in {data}, where its files would become samples; choose another place")
    if automatic and steps is None:
        whole = ENGINES[whole.engine].choose(
            index,
            lambda run: ENGINES[run.engine].with_start(complete(config=run), index, **places),
            whole.training.minutes or TRAIN_MINUTES,
            accelerator,
            notify=callbacks.notify,
        )
    with RunFolder.create(path, whole) as run, undone(path):
        return _train(run, data, steps, accelerator, samples, callbacks)


def _resume(
    path: Path,
    data: Path | None,
    steps: int | Mapping[str, int] | None,
    device: str,
    samples: int,
    callbacks: TrainCallbacks,
    asked: Callable[[RunConfig], RunConfig],
    start: str | os.PathLike[str],
) -> Trained:
    """Resumes a run with its configuration and data. Raises `BadRun` if the arguments differ from them.

    `asked`: the run's configuration → that of the arguments.
    """
    engine = engine_of_run(path)
    kept = RunFolder.open(path, engine.config).run()
    accelerator = Accelerator(device, kept.training.precision)
    with RunFolder.resume(path, engine.config) as run:
        check_same(path, kept, asked(kept))
        check_start(path, kept, start)
        check_folder(run, data)
        if run.model.exists() and (path / SCORES).exists():
            check_finished(run, steps)
            callbacks.notify(f"{path} is finished; nothing to do")
            finished: Trained = engine.load(path, device=device)
            return finished
        return _train(run, data, steps, accelerator, samples, callbacks)


def _train(
    run: RunFolder[Any],
    folder: Path | None,
    steps: int | Mapping[str, int] | None,
    accelerator: Accelerator,
    samples: int,
    callbacks: TrainCallbacks,
) -> Trained:
    engine = ENGINES[run.run().engine]
    parts, usage = _fit(run, engine, folder, steps, accelerator, callbacks)
    return _finish(run, engine, parts, usage, accelerator, samples, callbacks)


def _fit(
    run: RunFolder[Any],
    engine: Engine[Any, Any],
    folder: Path | None,
    steps: int | Mapping[str, int] | None,
    accelerator: Accelerator,
    callbacks: TrainCallbacks,
) -> tuple[dict[str, Part], Mapping[str, Any]]:
    """Trains; returns the parts of the model and the usage of its codes. The data are then released."""
    index = run.run().data.open(folder or Path(run.data()["folder"]))
    notify_recognised(index, callbacks.notify)
    notify_left_out(index, callbacks.notify)
    fresh = not run.has_data()
    trainer = engine.trainer(run, index, accelerator, notify=callbacks.notify)
    _freeze(run, trainer.stages, steps)
    if fresh:
        _say_what_few_teach(run, index, callbacks.notify)
    shown, last = time.monotonic(), None
    for step in trainer.steps():
        last = step
        callbacks.on_step(step)
        if time.monotonic() - shown > REPORT_SECONDS or step.step == 1:
            engine.write_snapshot(trainer, step)
            write_report(run.path)
            shown = time.monotonic()
    if last is not None:
        engine.write_snapshot(trainer, last)
    _skipped(run, trainer, callbacks)
    return trainer.parts(), trainer.usage()


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


def _finish(
    run: RunFolder[Any],
    engine: Engine[Any, Any],
    parts: dict[str, Part],
    usage: Mapping[str, Any],
    accelerator: Accelerator,
    samples: int,
    callbacks: TrainCallbacks,
) -> Trained:
    """Writes model, samples, scores and report. The model is written first, so that it is not lost if a later
    step fails; the scores last, because they mark the run as finished."""
    folder = Path(run.data()["folder"])
    command = reproduce(run.run(), str(folder), run.path)
    card = model_card(run, command, engine.limits)
    write_json(run.path / USAGE, usage)
    save_model(run.model, parts, card.markdown())
    trained: Trained = engine.load(run.path, device=accelerator.device.type)
    started, n, minutes = time.monotonic(), min(samples, engine.max_scored), scoring_minutes(run.run())
    try:
        options = EvaluationOptions(
            n=n,
            minutes=minutes and (1 - SHOWING_FRACTION) * minutes,
            on_row=callbacks.on_row,
            notify=callbacks.notify,
        )
        rows = engine.evaluate(trained, folder, options)
        found = engine.mutual_information(trained, folder, n=min(samples, MAX_MI_SAMPLES))
        write_mutual_information(run.path, found)
    except ModaloomError as error:
        callbacks.notify(f"not evaluated: {error}")
        rows = []
    try:
        engine.write_samples(trained, folder, minutes=minutes and SHOWING_FRACTION * minutes)
    except ModaloomError as error:
        callbacks.notify(f"no samples: {error}")
    scores = [row.to_dict() for row in headlines(rows)]
    save_model(run.model, parts, replace(card, scores=scores).markdown())
    shown = [sentence(row) for row in headlines(rows)]
    diagnoses = diagnosis(run.path, rows)
    cautions = warnings(run.path, rows)
    write_json(
        run.path / SCORES,
        {
            "n": n,
            "rows": [row.to_dict() for row in rows],
            "headline": shown,
            "warnings": cautions,
            "diagnosis": [one.to_dict() for one in diagnoses],
            "seconds": round(time.monotonic() - started, 1),
        },
    )
    write_report(run.path)
    for sentence_ in [*shown, *cautions, *(f"{one.row}: {one.sentence}" for one in diagnoses)]:
        callbacks.notify(sentence_)
    callbacks.notify(f"reproduce with: {command}")
    return trained
