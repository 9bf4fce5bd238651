"""The loop and its calibration."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from toy_stage import stage

from modaloom.core.types import Loss
from modaloom.training import calibrate as calibration
from modaloom.training.accelerator import Accelerator, learning_rate
from modaloom.training.calibrate import calibrate
from modaloom.training.loop import Stage, Training, record, train

ACCELERATOR = Accelerator("cpu", "fp32")


def start(name: str = "loom", total: int = 20, seed: int = 0) -> Training:
    return Training(stage(name), ACCELERATOR, total, seed=seed, ema=0.99)


def test_steps_report_what_happened() -> None:
    training = start()
    steps = list(train(training))
    assert [step.step for step in steps] == list(range(1, 21))
    assert [s.learning_rate for s in steps] == [
        learning_rate(i, 20, warmup=0.05, decay="linear") for i in range(20)
    ]
    assert steps[-1].seconds_left == 0
    assert steps[9].seconds_left == pytest.approx(10 * 7 / steps[9].samples_per_second)


def test_it_learns() -> None:
    training = Training(stage("loom", size=40), ACCELERATOR, 150, seed=0, ema=0.99)
    losses = [float(step.loss) for step in train(training)]
    assert losses[-1] < 0.8 * losses[0]


def test_the_caller_stops() -> None:
    training = start()
    for step in train(training):
        if step.step == 4:
            break
    assert training.step == 4
    assert next(train(training)).step == 5


def test_noise_depends_on_seed_stage_and_step_alone() -> None:
    losses = [float(next(train(start(name, seed=seed))).loss) for name, seed in (("loom", 0), ("loom", 1))]
    assert losses[0] != losses[1]
    torch.manual_seed(1)
    assert float(next(train(start())).loss) == losses[0]
    drawn: list[torch.Tensor] = []
    for name in ("loom", "tokenizer"):
        base = stage(name)

        def loss(batch: object, noise: torch.Generator, base: Stage = base) -> Loss:
            drawn.append(torch.rand(3, generator=noise))
            return base.loss(batch, noise)

        list(train(Training(replace(base, loss=loss), ACCELERATOR, 3, seed=0, ema=0.9)))
    assert len({tuple(draw.tolist()) for draw in drawn}) == 6


def test_the_average_trails_the_weights() -> None:
    training = start()
    for _ in train(training):
        pass
    weights = training.stage.module.state_dict()
    assert not torch.equal(training.ema.tensors["out.weight"], weights["out.weight"])
    assert torch.equal(training.ema.tensors["codebook"], weights["codebook"])


def test_a_record_averages_each_part_over_the_steps_that_have_it() -> None:
    first, second = list(train(start(total=2)))
    second = replace(second, parts={"rare": torch.tensor(3.0), "error": torch.tensor(1.0)})
    line = record([first, second])
    assert line["loss"] == pytest.approx((float(first.loss) + float(second.loss)) / 2)
    assert line["loss.rare"] == 3
    assert line["loss.error"] == pytest.approx((float(first.parts["error"]) + 1) / 2)
    assert line["step"] == 2


def test_calibration_counts_the_steps_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of half a second: 3 warm and 6 timed of them leave 99.5 of 104 seconds, which is 199 steps."""
    clock = 0.0

    def batch(step: int) -> object:
        nonlocal clock
        clock += 0.5
        return base.batch(step)

    base = stage("loom")
    monkeypatch.setattr(calibration, "time", SimpleNamespace(perf_counter=lambda: clock))
    timed = replace(base, batch=batch)
    assert calibrate(timed, ACCELERATOR, 104, seed=0, ema=0.9) == 190
    assert clock == 4.5
    assert calibrate(timed, ACCELERATOR, 1, seed=0, ema=0.9) == 10
    assert calibrate(timed, ACCELERATOR, -5, seed=0, ema=0.9) == 10


def test_calibration_leaves_no_trace() -> None:
    fresh, used = start(), start()
    calibrate(used.stage, ACCELERATOR, 0.01, seed=0, ema=0.9)
    assert all(p.grad is None for p in used.stage.module.parameters())
    for training in (fresh, used):
        list(train(training))
    pairs = zip(fresh.checkpoint().tensors.values(), used.checkpoint().tensors.values())
    assert all(torch.equal(a[name], b[name]) for a, b in pairs for name in a)


def test_calibration_leaves_no_trace_when_it_fails() -> None:
    base = stage("loom")
    before = {name: t.clone() for name, t in base.module.state_dict().items()}

    def batch(step: int) -> object:
        if step == 2:
            raise RuntimeError("no data")
        return base.batch(step)

    with pytest.raises(RuntimeError, match="no data"):
        calibrate(replace(base, batch=batch), ACCELERATOR, 1, seed=0, ema=0.9)
    assert all(torch.equal(t, before[name]) for name, t in base.module.state_dict().items())


def test_a_pace_of_the_real_clock() -> None:
    began = time.perf_counter()
    steps = calibrate(stage("loom", slow=0.01), ACCELERATOR, 3, seed=0, ema=0.9)
    assert 0.08 < time.perf_counter() - began < 2.5
    assert 20 <= steps <= 290
