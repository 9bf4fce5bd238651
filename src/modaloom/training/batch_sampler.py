"""Batch indices as a pure function of the step, so that a resumed training uses the same batches."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS, Distributed, Rows
from modaloom.core.errors import BadValue
from modaloom.core.rng import permutation


@dataclass(frozen=True)
class BatchSampler:
    """Samples batches from one random permutation of range(n) per epoch; a batch may span epochs.

    Args:
        n: number of samples.
        size: samples per batch, of all ranks together.
        seed: seed of the permutations.
        stage: name of the stage; each has its own permutations.
        distributed: the ranks; each gets consecutive samples of a batch, as many as the others or one
            more.

    Raises:
        BadValue: a batch has fewer samples than there are ranks.
    """

    n: int
    size: int
    seed: int
    stage: str
    distributed: Distributed = SINGLE_PROCESS

    def __post_init__(self) -> None:
        if self.size < self.distributed.size:
            raise BadValue(
                f"a batch of {self.stage} has {self.size} samples for {self.distributed.size} processes; "
                "each needs one: raise batch_size, add data or use fewer devices"
            )

    @property
    def rows(self) -> Rows:
        """Which samples of a batch are this rank's."""
        return self.distributed.split(self.size)

    def __call__(self, step: int) -> Tensor:
        """int64 (rows.n,): this rank's sample indices of `step` (from 0)."""
        first = step * self.size
        last = first + self.size - 1
        orders = [self._order(epoch) for epoch in range(first // self.n, last // self.n + 1)]
        return self.rows.own(torch.cat(orders)[first % self.n :][: self.size])

    def _order(self, epoch: int) -> Tensor:
        return _order(self.n, self.seed, self.stage, epoch)


@lru_cache(maxsize=4)
def _order(n: int, seed: int, stage: str, epoch: int) -> Tensor:
    """Permutation of an epoch, cached for all of its steps."""
    return permutation(n, seed, stage, "order", epoch)
