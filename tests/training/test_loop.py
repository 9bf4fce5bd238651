"""The loop."""

from dataclasses import replace

import pytest
import torch
from toy_stage import stage

from modaloom.core.distributed import Distributed
from modaloom.core.types import Loss
from modaloom.runs.schedule import trapezoid
from modaloom.training.accelerator import Accelerator
from modaloom.training.loop import Stage, Training, record, train

ACCELERATOR = Accelerator("cpu", "fp32")


def start(name: str = "loom", total: int = 20, seed: int = 0) -> Training:
    return begin(stage(name), total, seed=seed)


def begin(stage: Stage, total: int, *, seed: int = 0, ema: float = 0.99) -> Training:
    return Training(stage, ACCELERATOR, trapezoid(total, warmup=0.05, decay=0.5), seed=seed, ema=ema)


def test_steps_report_what_happened() -> None:
    training = start()
    steps = list(train(training))
    assert [step.step for step in steps] == list(range(1, 21))
    assert [s.learning_rate for s in steps] == [
        *[1.0] * 11,
        *(pytest.approx(1 - i / 10) for i in range(1, 10)),
    ]
    assert steps[-1].seconds_left == 0
    assert steps[9].seconds_left == pytest.approx(10 * 7 / steps[9].samples_per_second)


def test_it_learns() -> None:
    training = begin(stage("loom", size=40), 150)
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

        def loss(batch: object, noise: torch.Generator, ranks: Distributed, base: Stage = base) -> Loss:
            drawn.append(torch.rand(3, generator=noise))
            return base.loss(batch, noise, ranks)

        list(train(begin(replace(base, loss=loss), 3)))
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
