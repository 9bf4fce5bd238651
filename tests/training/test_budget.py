"""Stages that train for a time: within it, early when they have learned enough, stopped and gone on with."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_stage import config, fingerprint, stage

from modaloom.loom.config import LoomRunConfig
from modaloom.runs.schedule import trapezoid
from modaloom.runs.store import RunFolder
from modaloom.training import pace, plateau, stages
from modaloom.training.accelerator import Accelerator
from modaloom.training.budget import seconds_for, shortage
from modaloom.training.interrupts import Interrupted
from modaloom.training.loop import Stage, Training
from modaloom.training.stages import StagePlan, run_stages

ACCELERATOR = Accelerator("cpu", "fp32")
SECONDS = 3.0
PACE = 0.01


class FakeClock:
    """Stands in for `time`: it runs by PACE a batch."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    fake = FakeClock()
    for module in (stages, pace):
        monkeypatch.setattr(module, "time", fake)
    return fake


def timed(**training: object) -> LoomRunConfig:
    return replace(
        config(), training=replace(config(minutes=SECONDS / 60, **training).training, steps={}, log_every=1)
    )


def plans(clock: FakeClock, error: Callable[[], float] | None = None) -> list[StagePlan]:
    """A tokenizer that gets 0.1 to 0.5 of the time, and the rest."""

    def build(name: str, error: Callable[[], float] | None = None) -> Stage:
        base = stage(name)

        def batch(step: int) -> object:
            clock.now += PACE
            return base.batch(step)

        return replace(base, batch=batch, validation_error=error)

    return [StagePlan(lambda: build("tokenizer", error), 0.5, 0.1), StagePlan(lambda: build("loom"), 0.5)]


def finish(folder: RunFolder[Any], made: list[StagePlan], said: list[str] | None = None) -> None:
    for _ in run_stages(made, folder, ACCELERATOR, notify=(said if said is not None else []).append):
        pass


def seconds_of(folder: RunFolder[Any], stage: str) -> float:
    return max(r["seconds"] for r in folder.metrics() if r["stage"] == stage and "seconds" in r)


def test_the_minutes_are_kept_and_what_happened_gives_the_same_bits_again(
    clock: FakeClock, tmp_path: Path
) -> None:
    said = list[str]()
    with RunFolder.create(tmp_path / "run", timed()) as folder:
        finish(folder, plans(clock), said)
        recorded = folder.run().training
        assert clock.now == pytest.approx(SECONDS, rel=0.03)
        assert list(recorded.steps) == list(recorded.schedule) == ["tokenizer", "loom"]
        assert all(recorded.schedule[name].total == steps for name, steps in recorded.steps.items())
        assert {s["stage"]: s["step"] for s in folder.metrics()} == recorded.steps
        assert seconds_of(folder, "tokenizer") == pytest.approx(SECONDS / 2, rel=0.03)
        expected = fingerprint(folder)
    assert [line.split(" of ")[1].split(",")[0] for line in said] == ["tokenizer", "loom"]
    with RunFolder.create(tmp_path / "again", replace(timed(), training=recorded)) as folder:
        finish(folder, plans(clock))
        assert fingerprint(folder) == expected
        assert folder.run().training == recorded


@pytest.mark.parametrize("at", [20, 110])
def test_a_stopped_training_keeps_to_its_minutes_and_its_record(
    clock: FakeClock, tmp_path: Path, at: int
) -> None:
    """Before the tokenizer's decay and in it; the time that it was stopped does not count."""

    def stop(folder: RunFolder[Any]) -> None:
        for i, _ in enumerate(run_stages(plans(clock), folder, ACCELERATOR, notify=print), 1):
            if i == at:
                os.kill(os.getpid(), signal.SIGTERM)

    with RunFolder.create(tmp_path / "run", timed()) as folder, pytest.raises(Interrupted):
        stop(folder)
    clock.now += 100
    with RunFolder.resume(tmp_path / "run", LoomRunConfig) as folder:
        finish(folder, plans(clock))
        recorded, expected = folder.run().training, fingerprint(folder)
        assert seconds_of(folder, "loom") == pytest.approx(SECONDS, rel=0.03)
        logged = [(r["stage"], r["step"]) for r in folder.metrics()]
        assert len(set(logged)) == len(logged)
    with RunFolder.create(tmp_path / "again", replace(timed(), training=recorded)) as folder:
        finish(folder, plans(clock))
        assert fingerprint(folder) == expected


def test_a_consumer_that_just_goes_away_too(clock: FakeClock, tmp_path: Path) -> None:
    """As after kill -9: the schedule was recorded after the last checkpoint, the log goes on after it."""
    with RunFolder.create(tmp_path / "run", timed(checkpoint_seconds=0.2)) as folder:
        for i, _ in enumerate(run_stages(plans(clock), folder, ACCELERATOR, notify=print), 1):
            if i == 130:
                break
    with RunFolder.resume(tmp_path / "run", LoomRunConfig) as folder:
        finish(folder, plans(clock))
        recorded, expected = folder.run().training, fingerprint(folder)
    with RunFolder.create(tmp_path / "again", replace(timed(), training=recorded)) as folder:
        finish(folder, plans(clock))
        assert fingerprint(folder) == expected


@pytest.mark.parametrize(("error", "early"), [(lambda: 1.0, True), (None, False)])
def test_a_tokenizer_that_learned_enough_leaves_its_time_to_the_rest(
    clock: FakeClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Callable[[], float] | None,
    early: bool,
) -> None:
    monkeypatch.setattr(plateau, "FIRST_STEP", 8)
    with RunFolder.create(tmp_path, timed()) as folder:
        finish(folder, plans(clock, error))
        spent = seconds_of(folder, "tokenizer")
        assert (spent < 0.2 * SECONDS) is early
        assert spent > 0.08 * SECONDS
        assert seconds_of(folder, "loom") == pytest.approx(SECONDS, rel=0.03)
        errors = [r["step"] for r in folder.metrics() if "val.error" in r]
        assert errors[:3] == ([8, 10, 11] if early else [])
        if early:
            (fall,) = {folder.run().training.schedule["tokenizer"].decays[0][0]}
            assert fall == errors[-1]


def test_known_steps_take_no_errors(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plateau, "FIRST_STEP", 4)
    with RunFolder.create(tmp_path, config()) as folder:
        finish(folder, plans(clock, pytest.fail))  # type: ignore[arg-type]
        assert folder.run().training.schedule == {}


def test_the_error_is_of_the_averaged_weights_and_leaves_no_trace() -> None:
    base = stage("tokenizer")
    seen: list[torch.Tensor] = []

    def error() -> float:
        seen.append(base.module.hidden.weight.detach().clone())
        assert not base.module.training
        return 0.5

    training = Training(
        replace(base, validation_error=error), ACCELERATOR, trapezoid(9, warmup=0, decay=1), seed=0, ema=0.9
    )
    for _ in range(3):
        training.advance()
    before = {name: t.clone() for name, t in base.module.state_dict().items()}
    assert training.validation_error() == 0.5
    assert base.module.training
    assert torch.equal(seen[0], training.ema.tensors["hidden.weight"])
    assert not torch.equal(seen[0], before["hidden.weight"])
    assert all(torch.equal(t, before[name]) for name, t in base.module.state_dict().items())


@pytest.mark.parametrize(
    ("i", "spent", "expected"),
    [(0, 0, 20), (1, 20, 80), (1, 30, 70), (1, 90, 40), (1, 200, 40), (0, 100, 10)],
)
def test_a_late_stage_still_gets_half_of_its_planned_time(i: int, spent: float, expected: float) -> None:
    """100 seconds for shares 0.2 and 0.8."""
    assert seconds_for([0.2, 0.8], i, spent, 100) == pytest.approx(expected)


def test_a_budget_that_is_too_small_says_what_would_fit() -> None:
    """300 steps, or 3 epochs: 8,000 samples at 64 a step are 375."""
    assert shortage("image", 375, 64, 8000, 15) == ""
    assert shortage("image", 300, 64, 100, 15) == ""
    assert shortage("image", 299, 64, 100, 15)
    said = shortage("image", 10, 64, 8000, 15)
    assert said.startswith("15 minutes are about 10 steps of image, fewer than the 375")
    assert said.endswith("give --minutes 563, or a smaller model; the smallest preset is tiny")
