"""Steps that fit a budget, on clocks that stop, run and change their speed."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from toy_stage import stage

from modaloom.runs.schedule import trapezoid
from modaloom.training import pace as module
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Training
from modaloom.training.pace import (
    MAX_TIMED_STEPS,
    MIN_STEPS,
    TIMED_SCHEDULE,
    WARMUP_STEPS,
    Pacer,
    measure_pace,
)

ACCELERATOR = Accelerator("cpu", "fp32")
SCHEDULE = trapezoid(20, warmup=0.05, decay=0.5)


def test_a_pace_is_seconds_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of half a second: 3 warm ones, and 5 that fill the 2.5 seconds."""
    clock = 0.0

    def batch(step: int) -> object:
        nonlocal clock
        clock += 0.5
        return base.batch(step)

    base = stage("loom")
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: clock))
    assert measure_pace(replace(base, batch=batch), ACCELERATOR, 2.5, seed=0) == 0.5
    assert clock == 4.0
    assert measure_pace(replace(base, batch=batch), ACCELERATOR, 6.0, seed=0) == 0.5
    assert clock == 4.0 + 1.5 + 6.0


def test_all_timed_steps_lie_in_a_warmup() -> None:
    """A schedule that ends earlier has negative rates after its end, at which the weights diverge."""
    rates = [TIMED_SCHEDULE.share(step) for step in range(WARMUP_STEPS + MAX_TIMED_STEPS)]
    assert rates == sorted(rates)
    assert 0 < rates[0] < rates[-1] <= 1


def test_measuring_leaves_no_trace() -> None:
    fresh, used = (Training(stage("loom"), ACCELERATOR, SCHEDULE, seed=0, ema=0.9) for _ in range(2))
    measure_pace(used.stage, ACCELERATOR, 0.01, seed=0)
    assert all(p.grad is None for p in used.stage.module.parameters())
    for training in (fresh, used):
        for _ in range(5):
            training.advance()
    pairs = zip(fresh.checkpoint().tensors.values(), used.checkpoint().tensors.values())
    assert all(torch.equal(a[name], b[name]) for a, b in pairs for name in a)


def test_measuring_leaves_no_trace_when_it_fails() -> None:
    base = stage("loom")
    before = {name: t.clone() for name, t in base.module.state_dict().items()}

    def batch(step: int) -> object:
        if step == 2:
            raise RuntimeError("no data")
        return base.batch(step)

    with pytest.raises(RuntimeError, match="no data"):
        measure_pace(replace(base, batch=batch), ACCELERATOR, 1, seed=0)
    assert all(torch.equal(t, before[name]) for name, t in base.module.state_dict().items())


def test_a_pace_of_the_real_clock() -> None:
    began = time.perf_counter()
    pace = measure_pace(stage("loom", slow=0.01), ACCELERATOR, 0.1, seed=0)
    assert 0.01 < pace < 0.1
    assert 0.08 < time.perf_counter() - began < 2.5


def trained(budget: float, believed: float, pace_at: "module.Callable[[float], float]") -> SimpleNamespace:
    """A training whose steps take `pace_at(now)` seconds, begun in the belief that they take `believed`."""
    now, done = 0.0, 0
    pacer = Pacer(budget, believed, clock=lambda: now)
    schedule = trapezoid(max(MIN_STEPS, int(budget / believed)), warmup=0.05, decay=0.6)
    shares = []
    while done < schedule.total:
        shares.append(schedule.share(done))
        now, done = now + pace_at(now), done + 1
        schedule = pacer.refit(schedule, done, decay=0.6)
    assert shares == [schedule.share(step) for step in range(schedule.total)]
    return SimpleNamespace(seconds=now, schedule=schedule, shares=shares)


@pytest.mark.parametrize("change", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_speed_that_changes_midway_ends_in_time(change: float, factor: float) -> None:
    run = trained(100, 0.05, lambda now: 0.05 * (factor if now > 100 * change else 1))
    assert run.seconds == pytest.approx(100, rel=0.03)
    assert run.shares[-1] < 0.05
    assert len(run.schedule.decays) < 12


@pytest.mark.parametrize("wrong", [0.05, 0.3, 3.0, 20.0])
def test_a_pace_that_was_measured_in_a_busy_moment(wrong: float) -> None:
    """240 steps were frozen where 5,000 fitted: what is believed first does not matter."""
    run = trained(100, 0.05 * wrong, lambda now: 0.05)
    assert run.seconds == pytest.approx(100, rel=0.03)
    begin = run.schedule.decays[0][0] / run.schedule.total
    assert begin == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("factor", [5, 40])
def test_a_decay_that_began_in_a_busy_start_is_taken_back(factor: int) -> None:
    """The first 12 of 100 seconds are as slow as was believed: a few steps, of which most decay."""
    run = trained(100, 0.05 * factor, lambda now: 0.05 * (factor if now < 12 else 1))
    assert run.seconds == pytest.approx(100, rel=0.03)
    assert run.schedule.total == pytest.approx(88 / 0.05, rel=0.05)
    assert run.shares[600] == 1
    assert run.shares.index(1.0) < 300
    assert min(run.shares[200:600]) == 1
    assert run.shares[-1] < 0.05


def test_a_steady_pace_keeps_its_schedule() -> None:
    run = trained(100, 0.05, lambda now: 0.05)
    assert run.schedule == trapezoid(2000, warmup=0.05, decay=0.6)


def test_a_pause_for_a_validation_is_no_change_of_speed() -> None:
    """Ten pauses of 1% of the budget each: a pace from the last moments alone halves the steps, and back."""
    pauses = iter(range(5, 100, 10))
    due = next(pauses)

    def step(now: float) -> float:
        nonlocal due
        if now < due:
            return 0.05
        due = next(pauses, 1000)
        return 1.05

    run = trained(100, 0.05, step)
    assert run.seconds == pytest.approx(100, rel=0.03)
    assert run.schedule.total == pytest.approx(90 / 0.05, rel=0.03)
    planned = [end - 1 for _, end in run.schedule.decays]
    assert planned == pytest.approx([90 / 0.05] * len(planned), rel=0.08)


@pytest.mark.parametrize("seconds", [0.0, -0.02, -14.0])
def test_a_time_that_is_up_before_the_first_step_plans_the_least_steps(seconds: float) -> None:
    run = trained(seconds, 1.3, lambda now: 1.3)
    assert len(run.shares) == MIN_STEPS
    assert run.schedule.total == MIN_STEPS


def test_a_stage_without_time_ends_after_the_least_steps() -> None:
    run = trained(1, 0.01, lambda now: 5.0)
    assert len(run.shares) == MIN_STEPS
