"""The configuration of a training, and what a resumed one may not change."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadRun, BadValue, check_names
from modaloom.engines import ENGINES, engine_of_task, load_config
from modaloom.engines import preset as preset_config
from modaloom.runs.config import DataConfig, OptimizerConfig, RunConfig
from modaloom.runs.config_io import changed, differences, override, to_plain
from modaloom.runs.resolve import resolve_run
from modaloom.runs.store import CONFIG, RunFiles, RunFolder


def configure(
    *,
    preset: str,
    config: str | os.PathLike[str] | RunConfig | None,
    settings: str | Sequence[str],
    streams: str | Sequence[str],
    task: str = "",
    tokenizers: str | os.PathLike[str] = "",
    start: str | os.PathLike[str] = "",
    folder: Path | None = None,
    minutes: float | None,
    seed: int | None,
) -> RunConfig:
    """Returns the complete configuration of a call of `train`; see there for the arguments.

    Raises `BadValue` and `BadFile`.
    """
    if config is None and start:
        base = resolve_run(Path(start))
        run = _begun(load_config(base / CONFIG, task=task), same_data=_has_learned(base, folder))
    elif config is None:
        run = preset_config(preset, task=task)
    else:
        run = load_config(Path(config), task=task) if isinstance(config, str | os.PathLike) else config
    if task and ENGINES[run.engine] is not engine_of_task(task):
        raise BadValue(f"{task} is no task of the engine {run.engine}, which the configuration names")
    values: dict[str, Any] = {
        "seed": seed,
        "data.streams": list(check_names("streams", streams)) or None,
        "training.minutes": minutes,
    }
    place = str(resolve_run(Path(tokenizers)).absolute()) if tokenizers else ""
    chosen: RunConfig = ENGINES[run.engine].with_task(run, task, place)
    given = [(key, value) for key, value in values.items() if value is not None]
    whole = override(changed(chosen, given), check_names("settings", settings))
    before, training = chosen.training, whole.training
    if minutes is None and training.minutes == before.minutes:
        return whole
    # A time budget replaces the steps that the configuration has, not those that the settings give.
    steps = training.steps if training.steps != before.steps else {}
    return replace(whole, training=replace(training, steps=steps, schedule={}, threads={}))


FINE_TUNING = 0.3
"""Learning rates of a training that starts from a run, relative to that run's."""


def _has_learned(run: Path, folder: Path | None) -> bool:
    """Whether a run was trained on a folder."""
    files = RunFiles(run)
    return (
        folder is not None and files.has_data() and str(files.data().get("folder")) == str(folder.absolute())
    )


def _begun(run: RunConfig, *, same_data: bool) -> RunConfig:
    """A run's configuration without what it says of its own data and training.

    The same data are split as they were: held-out samples are none that the run was trained on.
    """
    training = replace(run.training, minutes=None, steps={}, schedule={}, threads={})
    rates = {
        f"training.{name}.{rate}": FINE_TUNING * getattr(optimizer, rate)
        for name, optimizer in vars(training).items()
        if isinstance(optimizer, OptimizerConfig)
        for rate in ("learning_rate", "matrix_learning_rate")
    }
    own = DataConfig(split_by=run.data.split_by, layout=run.data.layout) if same_data else DataConfig()
    data = replace(run.data, streams=(), split_by=own.split_by, layout=own.layout)
    return changed(replace(run.adapted(), data=data, training=training), rates.items())


def check_same(path: Path, kept: RunConfig, asked: RunConfig) -> None:
    """Raises `BadRun` if the configuration differs from the resumed run's, except for recorded values."""
    asked = replace(asked, training=asked.training.with_record(kept.training))
    if changed := differences(kept, asked):
        key, values = next(iter(changed.items()))
        old, new = ("its default" if value is None else value for value in values)
        raise BadRun(
            f"{path} was started with {key} = {old}, not {new}; leave it out, or start a run in another --out"
        )


def check_start(path: Path, kept: RunConfig, start: str | os.PathLike[str]) -> None:
    """Raises `BadRun` if a resumed run did not start from the run that is named."""
    known = to_plain(kept)["training"].get("start", "")
    if start and str(resolve_run(Path(start)).absolute()) != known:
        raise BadRun(f"{path} was started from {known or 'no run'}, not {start}; leave --from out")


def check_folder(run: RunFolder[Any], data: Path | None) -> None:
    """Raises `BadRun` if the folder is not that of the resumed run."""
    if data is not None and run.has_data() and data.absolute() != Path(run.data()["folder"]):
        raise BadRun(
            f"{run.path} was started on {run.data()['folder']}, not {data}; leave the folder out, or start a "
            "run in another --out"
        )


def check_finished(run: RunFolder[Any], steps: int | Mapping[str, int] | None) -> None:
    """Raises `BadRun` if the steps differ from those of the finished run."""
    taken = run.run().training.steps
    asked = dict.fromkeys(taken, steps) if isinstance(steps, int) else dict(steps or {})
    if any(taken.get(stage) != count for stage, count in asked.items()):
        words = ",".join(f"{stage}={count}" for stage, count in taken.items())
        raise BadRun(
            f"{run.path} is finished after {words} steps, its learning rate has fallen to 0; for a longer "
            f"training start a new run: modaloom train {run.data()['folder']} --config {run.path / CONFIG} "
            "--steps N --out NEW"
        )
