"""Metrics in TensorBoard are those of metrics.jsonl."""

import builtins
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from toy_stage import config, plans

from modaloom.core.errors import BadValue
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.event_log import EVENTS
from modaloom.training.stages import run_stages


def run(folder: RunFolder[Any], stop: int | None = None) -> None:
    for i, _ in enumerate(run_stages(plans(), folder, Accelerator("cpu"), notify=print), 1):
        if i == stop:
            return


def shown(path: Path, stage: str) -> dict[int, float]:
    events = EventAccumulator(str(path / EVENTS / stage))
    events.Reload()
    return {event.step: event.value for event in events.Scalars("loss")}


def test_events_are_the_records(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, config(log_every=5, tensorboard=True)) as folder:
        run(folder)
        for stage in ("tokenizer", "loom"):
            logged = {line["step"]: line["loss"] for line in folder.metrics() if line["stage"] == stage}
            assert shown(tmp_path, stage) == pytest.approx(logged, rel=1e-5)


def test_steps_that_are_repeated_are_shown_once(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, config(log_every=5, tensorboard=True)) as folder:
        run(folder, stop=17)
        run(folder)
        logged = {line["step"]: line["loss"] for line in folder.metrics() if line["stage"] == "tokenizer"}
    assert shown(tmp_path, "tokenizer") == pytest.approx(logged, rel=1e-5)


def test_without_it_nothing_is_written(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, config()) as folder:
        run(folder)
    assert not (tmp_path / EVENTS).exists()


def test_the_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = builtins.__import__

    def absent(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("tensorboard"):
            raise ImportError(name)
        return known(name, *args, **options)

    import importlib
    import sys

    for name in [name for name in sys.modules if "tensorboard" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib, "import_module", lambda name: absent(name, fromlist=[""]))
    with (
        RunFolder.create(tmp_path, config(tensorboard=True)) as folder,
        pytest.raises(BadValue, match=r"pip install 'modaloom\[tensorboard\]'"),
    ):
        run(folder)
