"""How a batch is divided, and what the parts know of it."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed, Rows, SingleProcess
from modaloom.core.types import Loss
from modaloom.runs.config import OptimizerConfig
from modaloom.training.accelerator import Accelerator
from modaloom.training.micro_batch import averaged, micro_batches


class Second(SingleProcess):
    """The second of three ranks, with 5 of 14 samples."""

    rank, size = 1, 3
    sums = 0

    def rows(self, n: int) -> Rows:
        assert n == 5
        return Rows(4, 5, 14)

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        self.sums += 1


def test_a_batch_is_divided_into_consecutive_rows_of_every_tensor() -> None:
    batch = {"x": torch.arange(5), "y": [torch.arange(10).reshape(5, 2)], "name": "z"}
    parts = list(micro_batches(batch, 3, Second()))
    assert [part.ranks.rows(len(part.batch["x"])) for part in parts] == [
        Rows(4, 1, 14),
        Rows(5, 2, 14),
        Rows(7, 2, 14),
    ]
    assert torch.equal(torch.cat([part.batch["x"] for part in parts]), batch["x"])
    assert torch.equal(torch.cat([part.batch["y"][0] for part in parts]), batch["y"][0])
    assert [part.ranks.micro_batch for part in parts] == [0, 1, 2]
    assert {part.batch["name"] for part in parts} == {"z"}
    assert [part.share for part in parts] == [1 / 14, 2 / 14, 2 / 14]  # here the other ranks have none


@pytest.mark.parametrize("number", [4, 100])
def test_every_rank_has_a_sample_in_every_micro_batch(number: int) -> None:
    """14 samples are at least 4 for each of 3 ranks."""
    assert len(list(micro_batches(torch.ones(5), number, Second()))) == 4


def test_the_last_part_has_the_rows_of_all_in_the_order_of_the_calls() -> None:
    found = []
    for part in micro_batches(torch.arange(4.0), 2, SINGLE_PROCESS):
        for value in (part.batch, -part.batch):
            found.append(part.ranks.whole(value, 2 * value))
    assert found[:2] == [None, None]
    for batch, sign in zip(found[2:], (1, -1)):
        assert batch is not None
        assert batch.ranks is SINGLE_PROCESS
        whole = sign * torch.arange(4.0)
        assert torch.equal(batch.rows[0], whole)
        assert torch.equal(batch.rows[1], 2 * whole)


def test_gradients_are_summed_over_the_ranks_once_a_step() -> None:
    ranks, linear = Second(), nn.Linear(2, 1)
    accelerator = Accelerator("cpu", "fp32", ranks)
    optimizers = accelerator.optimizer(linear, OptimizerConfig(accumulation_steps=3))
    seen = []

    def compute(x: Tensor, ranks: Distributed) -> Loss:
        seen.append(len(x))
        return Loss(linear(x).mean())

    accelerator.step(linear, optimizers, torch.ones(5, 2), compute, lr_scale=1, where="")
    assert (seen, ranks.sums) == ([1, 2, 2], 1)


def test_losses_are_weighted_by_their_samples_and_parts_by_those_that_have_them() -> None:
    one, other = (
        Loss(torch.tensor(4.0), {"a": torch.tensor(1.0)}),
        Loss(torch.tensor(8.0), {"b": torch.tensor(3.0)}),
    )
    found = averaged([(0.25, one), (0.75, other)])
    assert float(found.total) == 7
    assert {name: float(value) for name, value in found.parts.items()} == {"a": 1, "b": 3}
    assert averaged([(1.0, one)]) is one
