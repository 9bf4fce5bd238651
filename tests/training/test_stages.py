"""A run that is stopped, killed, starved of disk or damaged reaches the bits of one that was not."""

import errno
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from toy_stage import config, fingerprint, plans, stage

from modaloom.core.distributed import Distributed
from modaloom.core.errors import BadRun, BadValue, WorkFailed
from modaloom.core.types import Loss
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.checkpoint import newest
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.interrupts import Interrupted
from modaloom.training.loop import Step
from modaloom.training.stages import StagePlan, run_stages

ACCELERATOR = Accelerator("cpu")


def finish(folder: RunFolder, said: list[str] | None = None) -> list[Step]:
    return list(run_stages(plans(), folder, ACCELERATOR, notify=(said if said is not None else []).append))


@pytest.fixture
def whole(tmp_path: Path) -> list[str]:
    """The fingerprint of a run that nothing happened to."""
    with RunFolder.create(tmp_path / "whole", config()) as folder:
        finish(folder)
        return fingerprint(folder)


def test_a_run_from_start_to_end(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, config(log_every=10)) as folder:
        steps = finish(folder)
    assert [(s.stage, s.step, s.total) for s in steps[24:26]] == [("tokenizer", 25, 25), ("loom", 1, 25)]
    assert len(steps) == 50
    log = folder.metrics()
    assert [(r["stage"], r["step"]) for r in log] == [
        (n, s) for n in ("tokenizer", "loom") for s in (10, 20, 25)
    ]
    assert log[1]["loss"] == pytest.approx(sum(float(s.loss) for s in steps[10:20]) / 10, rel=1e-5)
    assert log[1]["loss.error"] == pytest.approx(
        sum(float(s.parts["error"]) for s in steps[10:20]) / 10, rel=1e-5
    )
    assert log[2]["loss"] != log[5]["loss"]


def test_a_finished_stage_is_not_trained_again_but_loaded(tmp_path: Path) -> None:
    made = [stage("tokenizer"), stage("tokenizer", seed=9)]
    with RunFolder.create(tmp_path, config()) as folder:
        assert len(list(run_stages([StagePlan(lambda: made[0])], folder, ACCELERATOR, notify=print))) == 25
        assert list(run_stages([StagePlan(lambda: made[1])], folder, ACCELERATOR, notify=print)) == []
        average = newest(folder.checkpoints("tokenizer")).checkpoint.tensors["ema"]  # type: ignore[union-attr]
    for each in made:
        assert not each.module.training
        state = each.module.state_dict()
        assert all(torch.equal(state[name], average[name]) for name in average)


def test_later_stages_are_built_when_earlier_ones_are_done(tmp_path: Path) -> None:
    events: list[str] = []

    def build(name: str) -> StagePlan:
        return StagePlan(lambda: (events.append(f"build {name}"), stage(name))[1])

    with RunFolder.create(tmp_path, config(steps=2)) as folder:
        for step in run_stages([build("tokenizer"), build("loom")], folder, ACCELERATOR, notify=print):
            events.append(step.stage)
    assert events == ["build tokenizer", "tokenizer", "tokenizer", "build loom", "loom", "loom"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("at", [3, 30])
def test_a_stop_signal_saves_and_the_rest_is_the_same(
    tmp_path: Path, whole: list[str], number: int, at: int
) -> None:
    path = tmp_path / "run"

    def train(folder: RunFolder) -> None:
        for i, _ in enumerate(run_stages(plans(), folder, ACCELERATOR, notify=print), 1):
            assert i <= at
            if i == at:
                os.kill(os.getpid(), number)

    with (
        RunFolder.create(path, config()) as folder,
        pytest.raises(Interrupted, match=f"--resume --out {path}"),
    ):
        train(folder)
    with RunFolder.resume(path, LoomRunConfig) as folder:
        assert len(finish(folder)) == 50 - at
        assert fingerprint(folder) == whole
        logged = [(r["stage"], r["step"]) for r in folder.metrics()]
        assert len(set(logged)) == len(logged)


def killed(path: Path, seconds: float) -> bool:
    """Run the toy in another process and SIGKILL it `seconds` after its start. Was it still running?"""
    command = [sys.executable, str(Path(__file__).with_name("toy_stage.py")), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
        return child.wait() == -signal.SIGKILL


def check_kill(tmp_path: Path, whole: list[str], seconds: float) -> None:
    RunFolder.create(tmp_path / "run", config(checkpoint_seconds=0.02)).close()
    assert killed(tmp_path / "run", seconds)
    with RunFolder.resume(tmp_path / "run", LoomRunConfig) as folder:
        finish(folder)
        assert fingerprint(folder) == whole
        logged = [(r["stage"], r["step"]) for r in folder.metrics()]
        assert logged == sorted(set(logged), key=lambda line: (line[0] == "loom", line[1]))
    assert not list((tmp_path / "run").rglob(".new-*"))


@pytest.mark.parametrize("trial", range(3))
def test_kill_9(tmp_path: Path, whole: list[str], trial: int) -> None:
    """At once (before the first checkpoint), and at two random moments."""
    check_kill(tmp_path, whole, random.Random(trial).uniform(0, 0.35) if trial else 0)


@pytest.mark.full
@pytest.mark.parametrize("trial", range(10))
def test_kill_9_ten_times(tmp_path: Path, whole: list[str], trial: int) -> None:
    check_kill(tmp_path, whole, random.Random(100 + trial).uniform(0, 0.35))


def test_a_damaged_checkpoint_falls_back_says_so_and_costs_nothing(tmp_path: Path, whole: list[str]) -> None:
    path = tmp_path / "run"
    with RunFolder.create(path, config(checkpoint_seconds=0, log_every=1)) as folder:
        for i, _ in enumerate(run_stages(plans(), folder, ACCELERATOR, notify=print), 1):
            if i == 12:
                break
    (folder.checkpoints("tokenizer") / ".new-step-000099").mkdir()
    file = folder.checkpoints("tokenizer") / "step-000011" / "optimizer.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    said: list[str] = []
    with RunFolder.resume(path, LoomRunConfig) as folder:
        assert len(finish(folder, said)) == 40
        assert fingerprint(folder) == whole
        logged = [(r["stage"], r["step"]) for r in folder.metrics()]
        assert logged == [(name, step) for name in ("tokenizer", "loom") for step in range(1, 26)]
    assert not list(path.rglob(".new-*"))
    assert len(said) == 1
    assert "step-000011" in said[0]
    assert "optimizer.safetensors" in said[0]


def test_a_full_disk_ends_the_work_and_costs_nothing(
    tmp_path: Path, whole: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.fsync, 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 40:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    path = tmp_path / "run"
    with RunFolder.create(path, config(checkpoint_seconds=0)) as folder:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(WorkFailed, match="No space left"):
                finish(folder)
        assert not list(path.rglob(".new-*"))
        good = newest(folder.checkpoints("tokenizer"))
        assert good.checkpoint is not None
        assert good.damaged == ()
    with RunFolder.resume(path, LoomRunConfig) as folder:
        assert len(finish(folder)) == 50 - good.checkpoint.step
        assert fingerprint(folder) == whole


def test_nan_is_named_and_never_saved(tmp_path: Path) -> None:
    sick = stage("tokenizer")
    module = sick.module

    def loss(batch: object, noise: torch.Generator, ranks: Distributed) -> Loss:
        good = module.loss(batch, noise)
        return Loss(good.total * (torch.nan if module.steps == 6 else 1), good.parts)

    def batch(step: int) -> object:
        module.steps = step
        return sick.batch(step)

    with RunFolder.create(tmp_path, config(checkpoint_seconds=0)) as folder:
        with pytest.raises(WorkFailed, match="step 7 of tokenizer: the loss is not finite"):
            list(
                run_stages(
                    [StagePlan(lambda: replace(sick, loss=loss, batch=batch))],
                    folder,
                    ACCELERATOR,
                    notify=print,
                )
            )
        kept = newest(folder.checkpoints("tokenizer")).checkpoint
    assert kept is not None
    assert kept.step in (5, 6)
    assert all(torch.isfinite(t).all() for group in kept.tensors.values() for t in group.values())


def test_a_codebook_that_rots_silently_is_never_saved(tmp_path: Path) -> None:
    """Its last update may be the first to go wrong: nothing of that step's loss can show it."""
    sick = stage("tokenizer")

    def loss(batch: object, noise: torch.Generator, ranks: Distributed) -> Loss:
        good = sick.module.loss(batch, noise)
        sick.module.codebook[3] = torch.inf
        return good

    with RunFolder.create(tmp_path, config(checkpoint_seconds=0)) as folder:
        with pytest.raises(WorkFailed, match="weights of tokenizer after step 1: codebook holds NaN"):
            list(run_stages([StagePlan(lambda: replace(sick, loss=loss))], folder, ACCELERATOR, notify=print))
        assert newest(folder.checkpoints("tokenizer")).checkpoint is None


def test_another_models_checkpoint_is_refused(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, config(steps=2)) as folder:
        finish(folder)
        other = stage("tokenizer")
        other.module.hidden = torch.nn.Linear(64, 17)
        with pytest.raises(BadRun, match=r"tokenizer does not fit.*hidden\.weight"):
            list(run_stages([StagePlan(lambda: other)], folder, ACCELERATOR, notify=print))


def test_minutes_become_steps_once(tmp_path: Path) -> None:
    run = replace(config(), training=replace(config().training, steps={"tokenizer": 20}, minutes=0.005))
    with RunFolder.create(tmp_path, run) as folder:
        finish(folder)
        steps = folder.run().training.steps
        assert steps["tokenizer"] == 20
        assert steps["loom"] >= 10
        assert folder.run().training.schedule["loom"].total == steps["loom"]
        assert finish(folder) == []
        assert folder.run().training.steps == steps


def test_neither_steps_nor_minutes(tmp_path: Path) -> None:
    with (
        RunFolder.create(tmp_path, LoomRunConfig()) as folder,
        pytest.raises(BadValue, match=r"how long to train tokenizer.*--minutes or --steps"),
    ):
        finish(folder)
