"""Training: from a data folder to a finished run."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from modaloom.api.callbacks import TrainCallbacks, default_callbacks
from modaloom.api.configuring import check_finished, check_folder, check_same, check_start, configure
from modaloom.api.fitting import Asked, Job, fit_and_finish, follow
from modaloom.api.following import follower
from modaloom.api.places import check_vacant, undone
from modaloom.api.runs import Trained
from modaloom.core.defaults import DEVICE, PRESET, TRAIN_MINUTES, TRAIN_SAMPLES
from modaloom.core.errors import BadRun, BadValue
from modaloom.data.notices import once
from modaloom.engines import ENGINES, engine_of_run
from modaloom.runs.config import RunConfig
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import CONFIG, SCORES, RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.launch import joined


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
    devices: int = 1,
    shard: bool = False,
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
            start, with 0.3 of its learning rates; further streams of the folder are learned anew, with its
            tokenizer where one of its streams has their settings and specification. Of a Restorer, its
            network, linear filters and normalizer, for the same task and channels. The data of that run are
            split as they were.
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
        devices: number of processes of this machine that train together, each on a part of every batch.
            Under torchrun they are counted by it, and all of them call this function.
        shard: divide the Loom's weights, gradients, optimizer state and average among the processes.

    Raises:
        ModaloomError: invalid arguments or data, before anything is written.
        WorkFailed: NaN, a full disk, a lost process, or a stop signal (with a checkpoint saved).
    """
    callbacks = callbacks or default_callbacks()
    callbacks = replace(callbacks, notify=once(callbacks.notify))
    path, data = Path(out), Path(folder) if folder else None
    with joined(devices, device, follower(device)) as ranks, ExitStack() as waiting:
        if not ranks.leads:
            return _loaded(follow(ranks, device), device)
        waiting.enter_context(ranks.first())
        if shard and ranks.size == 1:
            raise BadValue("shard divides the model among processes, and there is one; give --devices N")
        asked = Asked(data, steps, device, samples, callbacks, ranks, shard, waiting)
        complete = partial(
            configure,
            preset=preset,
            settings=settings,
            streams=streams,
            task=task,
            tokenizers=tokenizers,
            start=start,
            folder=data,
            minutes=minutes,
            seed=seed,
        )
        automatic = config is None and preset == PRESET and not start
        if resume and (path / CONFIG).exists():
            return _resume(
                path, asked, lambda kept: complete(config=kept if automatic or start else config), start
            )
        if data is None:
            raise BadRun(f"{path} is no run that could be resumed; name the folder to train on")
        whole = complete(config=config)
        accelerator = Accelerator(device, whole.training.precision)  # of one process
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
            return fit_and_finish(run, accelerator, asked)


def _resume(
    path: Path,
    asked: Asked,
    configured: Callable[[RunConfig], RunConfig],
    start: str | os.PathLike[str],
) -> Trained:
    """Resumes a run with its configuration and data. Raises `BadRun` if the arguments differ from them.

    `configured`: the run's configuration → that of the arguments.
    """
    engine = engine_of_run(path)
    kept = RunFolder.open(path, engine.config).run()
    accelerator = Accelerator(asked.device, kept.training.precision)
    with RunFolder.resume(path, engine.config) as run:
        check_same(path, kept, configured(kept))
        check_start(path, kept, start)
        check_folder(run, asked.folder)
        if run.model.exists() and (path / SCORES).exists():
            check_finished(run, asked.steps)
            asked.callbacks.notify(f"{path} is finished; nothing to do")
            asked.tell(Job(str(path.absolute())))
            return _loaded(path, asked.device)
        return fit_and_finish(run, accelerator, asked)


def _loaded(path: Path, device: str) -> Trained:
    trained: Trained = engine_of_run(path).load(path, device=device)
    return trained
