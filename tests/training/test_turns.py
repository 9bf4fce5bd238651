"""A stage of two modules, whose optimizers step in turn."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from toy_stage import config, fingerprint

from modaloom.core.distributed import Distributed
from modaloom.core.errors import BadRun, WorkFailed
from modaloom.core.rng import generator
from modaloom.core.types import Loss
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.checkpoint import newest
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.schedule import trapezoid
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.interrupts import Interrupted
from modaloom.training.loop import Stage, Training, Turn, train
from modaloom.training.pace import measure_pace
from modaloom.training.stages import StagePlan, run_stages

ACCELERATOR = Accelerator("cpu", "fp32")
MAIN, RIVAL = OptimizerConfig(learning_rate=1e-2), OptimizerConfig(learning_rate=3e-2, weight_decay=0.1)


class Duel:
    """Two linear maps in a row, and a loss for each with gradients with respect to both."""

    def __init__(self) -> None:
        self.line, self.rival = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        for i, module in enumerate((self.line, self.rival)):
            nn.init.normal_(module.weight, generator=generator(i))

    def main(self, batch: Tensor, noise: torch.Generator) -> Loss:
        x = batch + 0.1 * torch.randn(batch.shape, generator=noise)
        value = self.rival(self.line(x)).square().mean()
        return Loss((value - 1).square(), {"value": value.detach()})

    def other(self, batch: Tensor, noise: torch.Generator) -> Loss:
        x = batch + 0.1 * torch.randn(batch.shape, generator=noise)
        gap = (self.rival(self.line(x)) - x).square().mean()
        return Loss(gap, {"gap": gap.detach()})

    def stage(self, name: str = "tokenizer", *, main: float = 1, other: float = 1, start: float = 0) -> Stage:
        def scaled(loss: object, factor: float) -> object:
            def of(batch: Tensor, noise: torch.Generator, ranks: Distributed) -> Loss:
                found = loss(batch, noise)  # type: ignore[operator]
                return Loss(factor * found.total, found.parts)

            return of

        turn = Turn("rival", self.rival, scaled(self.other, other), RIVAL, start)  # type: ignore[arg-type]
        return Stage(name, self.line, data, scaled(self.main, main), MAIN, 6, turns=[turn])  # type: ignore[arg-type]


def data(step: int) -> Tensor:
    return torch.randn(6, 4, generator=generator(0, "data", step))


def begin(stage: Stage, total: int = 20) -> Training:
    return Training(stage, ACCELERATOR, trapezoid(total, warmup=0.05, decay=0.5), seed=0, ema=0.9)


def weights(stage: Stage) -> list[Tensor]:
    return [next(module.parameters()).detach().clone() for module in stage.modules]


def test_the_loss_of_each_changes_its_own_module_alone() -> None:
    start = weights(Duel().stage())
    after = {}
    for main, other in ((1, 1), (1, 0), (0, 1), (1, 5)):
        training = begin(Duel().stage(main=main, other=other))
        training.advance()
        after[main, other] = weights(training.stage)
    assert torch.equal(after[1, 1][0], after[1, 5][0])
    assert torch.equal(after[1, 1][0], after[1, 0][0])
    assert not torch.equal(after[1, 1][1], after[1, 0][1])
    decay = 1 - MAIN.learning_rate * MAIN.weight_decay
    torch.testing.assert_close(after[0, 1][0], start[0] * decay)


def test_it_is_two_optimizers_by_hand() -> None:
    """The rival's turn sees what the step has made of the first module."""
    training, hand = begin(Duel().stage(), total=12), Duel()
    pairs = [
        (module, torch.optim.AdamW(module.parameters(), betas=(0.9, 0.95), weight_decay=c.weight_decay), c)
        for module, c in ((hand.line, MAIN), (hand.rival, RIVAL))
    ]
    for step in range(12):
        noises = [generator(0, "tokenizer", "noise", step, *name) for name in ((), ("rival",))]
        for (module, optimizer, c), loss, noise in zip(pairs, (hand.main, hand.other), noises):
            grad = torch.autograd.grad(loss(data(step), noise).total, module.weight)[0]
            module.weight.grad = grad * min(1, c.max_grad_norm / (float(grad.norm()) + 1e-6))
            optimizer.param_groups[0]["lr"] = c.learning_rate * training.schedule.share(step)
            optimizer.step()
        training.advance()
    for mine, theirs in zip(weights(training.stage), (hand.line, hand.rival)):
        torch.testing.assert_close(mine, theirs.weight)


def test_what_is_logged_and_averaged() -> None:
    training = begin(Duel().stage())
    steps = list(train(training))
    assert {*steps[0].parts} == {"value", "rival.loss", "rival.gap", "rival.grad_norm"}
    assert steps[0].parts["rival.loss"] == steps[0].parts["rival.gap"] > 0
    saved = training.checkpoint().tensors
    assert {*saved} == {"weights", "ema", "optimizer", "rival.weights", "rival.optimizer"}
    assert {*saved["ema"]} == {"weight"}
    assert torch.equal(saved["rival.weights"]["weight"], training.stage.turns[0].module.weight)


def test_a_turn_may_begin_late() -> None:
    training = begin(Duel().stage(start=0.7))
    first = weights(training.stage)[1]
    taken = []
    for step in train(training):
        taken.append("rival.loss" in step.parts)
        if step.step == 14:
            assert torch.equal(weights(training.stage)[1], first)
    assert taken == [False] * 14 + [True] * 6


@pytest.mark.parametrize("at", [3, 17])
def test_stopped_and_gone_on_with_it_ends_in_the_same_bits(tmp_path: Path, at: int) -> None:
    """Of weights, average and optimizers of both modules; a rival that begins at half has begun or not."""

    def run(path: Path, stop: int = 0) -> list[str]:
        with RunFolder.resume(path, LoomRunConfig) as folder:
            plan = StagePlan(lambda: Duel().stage(start=0.5))
            for i, _ in enumerate(run_stages([plan], folder, ACCELERATOR, notify=print), 1):
                if i == stop:
                    os.kill(os.getpid(), signal.SIGTERM)
            return fingerprint(folder)

    one = config()
    one = replace(one, training=replace(one.training, steps={"tokenizer": 25}))
    for name in ("whole", "stopped"):
        RunFolder.create(tmp_path / name, one).close()
    whole = run(tmp_path / "whole")
    assert "rival.optimizer.safetensors" in whole[0]
    with pytest.raises(Interrupted):
        run(tmp_path / "stopped", at)
    assert run(tmp_path / "stopped") == whole


def test_what_is_kept_is_the_average_of_the_first_module(tmp_path: Path) -> None:
    duel = Duel()
    one = replace(config(), training=replace(config().training, steps={"tokenizer": 5}))
    with RunFolder.create(tmp_path, one) as folder:
        list(run_stages([StagePlan(duel.stage)], folder, ACCELERATOR, notify=print))
        saved = newest(folder.checkpoints("tokenizer")).checkpoint
    assert saved is not None
    assert torch.equal(duel.line.weight, saved.tensors["ema"]["weight"])
    assert torch.equal(duel.rival.weight, saved.tensors["rival.weights"]["weight"])


def test_a_loss_that_is_not_finite_is_named_with_its_turn() -> None:
    training = begin(Duel().stage(other=float("nan")))
    with pytest.raises(WorkFailed, match="step 1 of tokenizer, rival: the loss is not finite"):
        training.advance()


def test_measuring_the_pace_leaves_no_trace() -> None:
    stage = Duel().stage()
    before = weights(stage)
    measure_pace(stage, ACCELERATOR, 0.01, seed=0)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(stage)))
    assert all(p.grad is None for module in stage.modules for p in module.parameters())


def test_a_checkpoint_without_the_turn_is_refused() -> None:
    training = begin(Duel().stage())
    alone = begin(replace(Duel().stage(), turns=()))
    with pytest.raises(BadRun, match="does not fit"):
        training.restore(alone.checkpoint())
