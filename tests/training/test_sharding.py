"""Ranks that divide a network reach what one process reaches, and their checkpoints are whole."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from two_ranks import Ranks

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.core.types import Loss
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.checkpoint import Checkpoint
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.schedule import trapezoid
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.batch_sampler import BatchSampler
from modaloom.training.loop import Stage, Training
from modaloom.training.pace import measure_pace
from modaloom.training.stages import StagePlan, run_stages

STEPS = 4


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ranks]:
    with Ranks(tmp_path_factory.mktemp("ranks")) as made:
        yield made


class Network(nn.Module):
    """Odd sizes: the parts of the ranks differ."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(5, 7), nn.Linear(7, 5)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(7, 7), nn.Tanh()) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        y: Tensor = self.last(x)
        return y.view(-1, 5)  # as the logits of a Loom, a view


class Toy(nn.Module):
    """A network and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = Network()
        self.register_buffer("steps", torch.zeros(()))
        self.steps: Tensor

    def hidden_matrices(self) -> list[nn.Parameter]:
        return [p for p in self.network.blocks.parameters() if p.ndim == 2]

    def loss(self, x: Tensor, noise: torch.Generator, ranks: Distributed) -> Loss:
        rows = ranks.rows(len(x))
        noisy = x + rows.own(torch.randn(rows.total, 5, generator=noise))
        self.steps += not ranks.micro_batch
        return Loss(ranks.mean((self.network(noisy) - x).square().mean(1)))


def train(
    shard: bool, micro_batches: int, begun: Checkpoint | None, steps: int, distributed: Distributed
) -> dict[str, Any]:
    """Train, or go on from a checkpoint; returns checkpoint, model, and what this rank has of it."""
    warnings.filterwarnings("error", "FSDP2")
    accelerator, module = Accelerator("cpu", "fp32", distributed, shard=shard), Toy()
    data, order = torch.randn(30, 5, generator=generator(0, "x")), BatchSampler(30, 7, 0, "x", distributed)
    optimizer = OptimizerConfig(max_grad_norm=0.3, accumulation_steps=micro_batches)
    stage = Stage("x", module, lambda step: data[order(step)], module.loss, optimizer, 7, network="network")
    with accelerator.network(module, stage.network) as network:
        schedule = trapezoid(STEPS, warmup=0.05, decay=0.5)
        training = Training(stage, accelerator, schedule, seed=0, ema=0.9)
        if begun:
            training.restore(in_an_own_order(begun, distributed.rank))
        results = [training.advance() for _ in range(steps)]
        own = [p.to_local() if isinstance(p, DTensor) else p for p in module.parameters()]
        checkpoint = training.checkpoint()
        assert network.refresh(now=True)
        alone = None
        if distributed.leads:
            with network.in_place(), torch.no_grad():
                alone = module.network(data)
    return {
        "checkpoint": checkpoint,
        "weights": {name: t.detach() for name, t in module.state_dict().items()},
        "losses": [float(result.loss.total) for result in results],
        "norms": [float(result.grad_norm) for result in results],
        "own": sum(p.numel() for p in own),
        "alone": alone,
    }


def in_an_own_order(checkpoint: Checkpoint, rank: int) -> Checkpoint:
    """As a rank reads it: the order of the tensors of a file is another in each process."""
    draw = Random(rank)
    tensors = {n: {k: t[k] for k in draw.sample([*t], len(t))} for n, t in checkpoint.tensors.items()}
    return Checkpoint(checkpoint.step, tensors, checkpoint.state)


def assert_alike(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for name in ("losses", "norms", "weights", "alone"):
        torch.testing.assert_close(found[name], expected[name], atol=1e-5, rtol=1e-5)
    assert_same_tensors(found["checkpoint"], expected["checkpoint"])


def assert_same_tensors(found: Checkpoint, expected: Checkpoint, *, tolerance: float = 1e-5) -> None:
    assert found.step == expected.step
    assert found.tensors.keys() == expected.tensors.keys()
    for group, tensors in expected.tensors.items():
        own = dict(found.tensors[group])
        torch.testing.assert_close(own, dict(tensors), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("micro_batches", [1, 2])
def test_two_ranks_that_divide_a_network_train_that_of_one(ranks: Ranks, micro_batches: int) -> None:
    """Weights, average, states of AdamW and Muon; and rank 0 can use the network alone."""
    expected = train(False, 1, None, STEPS, SINGLE_PROCESS)
    first, second = ranks.call(train, True, micro_batches, None, STEPS)
    assert_alike(first, expected)
    assert first["own"] + second["own"] == expected["own"]
    assert max(first["own"], second["own"]) < 0.6 * expected["own"]
    for name, value in first["weights"].items():
        assert torch.equal(second["weights"][name], value)


@pytest.mark.parametrize(("before", "after"), [(True, True), (True, False), (False, True)])
def test_a_checkpoint_goes_on_divided_or_whole(ranks: Ranks, before: bool, after: bool) -> None:
    expected = train(False, 1, None, STEPS, SINGLE_PROCESS)
    half = (ranks.call(train, True, 1, None, 2)[0] if before else train(False, 1, None, 2, SINGLE_PROCESS))[
        "checkpoint"
    ]
    found = (
        ranks.call(train, True, 1, half, STEPS - 2)[0]
        if after
        else train(False, 1, half, STEPS - 2, SINGLE_PROCESS)
    )
    torch.testing.assert_close(found["weights"], expected["weights"], atol=1e-5, rtol=1e-5)
    assert_same_tensors(found["checkpoint"], expected["checkpoint"])


@pytest.mark.full
@pytest.mark.parametrize("size", [3, 4])
def test_more_ranks_go_on_from_two(ranks: Ranks, tmp_path: Path, size: int) -> None:
    """Of 5 rows, 4 ranks have 2, 2, 1, 0. What is loaded is what was saved, to the bit."""
    expected = train(False, 1, None, STEPS, SINGLE_PROCESS)
    half = ranks.call(train, True, 1, None, 2)[0]["checkpoint"]
    with Ranks(tmp_path, size=size) as more:
        loaded = more.call(train, True, 1, half, 0)[0]["checkpoint"]
        whole = more.call(train, True, 1, None, STEPS)
        rest = more.call(train, True, 1, half, STEPS - 2)
    for found in (loaded, train(False, 1, half, 0, SINGLE_PROCESS)["checkpoint"]):
        assert_same_tensors(found, half, tolerance=0)
    assert_alike(whole[0], expected)
    assert sum(each["own"] for each in whole) == expected["own"]
    for each in (*whole, *rest):
        torch.testing.assert_close(each["weights"], expected["weights"], atol=1e-5, rtol=1e-5)
    assert_same_tensors(rest[0]["checkpoint"], expected["checkpoint"])


def measured(distributed: Distributed) -> list[dict[str, Tensor]]:
    """The weights before and after the pace is measured."""
    accelerator, module = Accelerator("cpu", "fp32", distributed, shard=True), Toy()
    x = torch.randn(7, 5, generator=generator(0, "x"))
    batch = distributed.split(7).own(x)
    stage = Stage("x", module, lambda step: batch, module.loss, OptimizerConfig(), 7, network="network")
    before = {name: t.detach().clone() for name, t in module.state_dict().items()}
    with accelerator.network(module, stage.network) as network:
        assert measure_pace(stage, accelerator, 0.0, seed=0) > 0
        network.refresh(now=True)
    return [before, {name: t.detach() for name, t in module.state_dict().items()}]


def test_the_pace_of_divided_networks_is_measured_without_a_trace(ranks: Ranks) -> None:
    for before, after in ranks.call(measured):
        assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_what_is_not_divided_is_refused(tmp_path: Path) -> None:
    whole = Stage("x", Toy(), lambda step: None, lambda *_: Loss(torch.ones(())), OptimizerConfig(), 1)
    with (
        RunFolder.create(tmp_path / "run", LoomRunConfig()) as run,
        pytest.raises(BadValue, match="the network of x cannot be divided among processes"),
    ):
        list(run_stages([StagePlan(lambda: whole)], run, Accelerator("cpu", shard=True), notify=print))
