"""The order of the data."""

from itertools import pairwise

import pytest
import torch

from modaloom.core.distributed import SingleProcess
from modaloom.core.errors import BadValue
from modaloom.core.rng import generator, permutation
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


def test_an_order_is_that_of_int64_in_half_of_its_memory() -> None:
    order = permutation(1000, 1, "loom", "order", 0)
    assert order.element_size() == 4
    assert torch.equal(order.long(), torch.randperm(1000, generator=generator(1, "loom", "order", 0)))
    assert torch.equal(BatchSampler(1000, 1000, 1, "loom")(0), order.long())


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
    assert [sampler.rows(4).first for sampler in samplers] == [
        sum(map(len, parts[:rank])) for rank in range(processes)
    ]


@pytest.mark.parametrize("ranks", [(1, 1), (2, 2), (3, 3), (1, 3), (3, 2), (2, 1)])
def test_what_goes_on_in_the_middle_of_an_epoch_skips_and_repeats_nothing(ranks: tuple[int, int]) -> None:
    """Three steps by some processes, the others by as many or another number: one epoch, each sample once."""
    n, size, stop = 49, 7, 3

    def drawn(processes: int, steps: range) -> list[int]:
        samplers = [BatchSampler(n, size, 1, "loom", Rank(rank, processes)) for rank in range(processes)]
        return torch.cat([sampler(step) for step in steps for sampler in samplers]).tolist()

    epoch = drawn(ranks[0], range(stop)) + drawn(ranks[1], range(stop, n // size))
    assert sorted(epoch) == [*range(n)]
    assert epoch == drawn(1, range(n // size))


@pytest.mark.parametrize("limit", [1, 40, 100, 10**6])
def test_batches_of_samples_of_different_lengths_fit_the_limit(limit: int) -> None:
    """The sequence of samples is that of equal lengths; each batch has as many of them as fit."""
    elements, size = torch.randint(5, 61, (50,), generator=torch.Generator().manual_seed(0)).tolist(), 8
    sampler = BatchSampler(50, size, 1, "loom", elements=elements, max_elements=limit)
    batches = [sampler(step).tolist() for step in range(60)]
    drawn = [sample for batch in batches for sample in batch]
    assert drawn == torch.cat([BatchSampler(50, 1, 1, "loom")(i) for i in range(len(drawn))]).tolist()
    for batch, after in pairwise(batches):
        counts = [elements[sample] for sample in batch]
        assert sum(counts) <= limit or len(batch) == 1
        assert len(batch) == size or sum(counts) + elements[after[0]] > limit
    again = BatchSampler(50, size, 1, "loom", elements=elements, max_elements=limit)
    assert again(59).tolist() == batches[59]


def test_large_samples_are_batched_in_smaller_numbers() -> None:
    sizes = [BatchSampler(9, 8, 1, "x", elements=n, max_elements=100).size for n in (1, 12, 13, 34, 101)]
    assert sizes == [8, 8, 7, 2, 1]
    ranks = [BatchSampler(9, 8, 1, "x", Rank(rank, 3), elements=34, max_elements=100) for rank in range(3)]
    assert [len(rank(0)) for rank in ranks] == [1, 1, 1]


def test_a_batch_has_a_sample_for_every_process() -> None:
    with pytest.raises(BadValue, match=r"a batch of loom has 2 samples for 3 processes.*batch_size"):
        BatchSampler(100, 2, 1, "loom", Rank(0, 3))
