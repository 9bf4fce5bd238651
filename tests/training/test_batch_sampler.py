"""The order of the data."""

import pytest
import torch

from modaloom.core.distributed import SingleProcess
from modaloom.core.errors import BadValue
from modaloom.training.batch_sampler import BatchSampler


@pytest.mark.parametrize(("n", "size"), [(10, 3), (12, 4), (5, 5), (4, 11), (1, 2), (7, 1)])
def test_every_sample_once_an_epoch(n: int, size: int) -> None:
    batch_sampler = BatchSampler(n, size, seed=1, stage="loom")
    drawn = torch.cat([batch_sampler(step) for step in range(5 * n)])
    assert len(drawn) == 5 * n * size
    for epoch in drawn.split(n)[: 5 * size]:
        assert sorted(epoch.tolist()) == list(range(n))


def test_epochs_seeds_and_stages_differ_and_steps_repeat() -> None:
    batch_sampler = BatchSampler(100, 100, seed=1, stage="loom")
    orders = [
        batch_sampler(0),
        batch_sampler(1),
        BatchSampler(100, 100, 2, "loom")(0),
        BatchSampler(100, 100, 1, "tokenizer")(0),
    ]
    assert len({tuple(order.tolist()) for order in orders}) == 4
    assert torch.equal(batch_sampler(0), BatchSampler(100, 100, 1, "loom")(0))


def test_a_step_does_not_depend_on_those_before() -> None:
    assert torch.equal(
        BatchSampler(10, 4, 3, "x")(7), [BatchSampler(10, 4, 3, "x")(step) for step in range(8)][7]
    )


class Rank(SingleProcess):
    """One of several processes that never speak."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


@pytest.mark.parametrize(("size", "processes"), [(7, 2), (8, 3), (3, 3), (64, 5)])
def test_the_processes_share_the_batch(size: int, processes: int) -> None:
    samplers = [BatchSampler(100, size, 1, "loom", Rank(rank, processes)) for rank in range(processes)]
    parts = [sampler(4) for sampler in samplers]
    assert torch.equal(torch.cat(parts), BatchSampler(100, size, 1, "loom")(4))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert [sampler.rows.first for sampler in samplers] == [
        sum(map(len, parts[:rank])) for rank in range(processes)
    ]


def test_a_batch_has_a_sample_for_every_process() -> None:
    with pytest.raises(BadValue, match=r"a batch of loom has 2 samples for 3 processes.*batch_size"):
        BatchSampler(100, 2, 1, "loom", Rank(0, 3))
