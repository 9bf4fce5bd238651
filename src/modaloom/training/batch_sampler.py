"""Batch indices as a pure function of the step, so that a resumed training uses the same batches."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from modaloom.core.rng import permutation


@dataclass(frozen=True)
class BatchSampler:
    """Samples batches from one random permutation of range(n) per epoch; a batch may span epochs.

    Args:
        n: number of samples.
        size: samples per batch.
        seed: seed of the permutations.
        stage: name of the stage; each has its own permutations.
    """

    n: int
    size: int
    seed: int
    stage: str

    def __call__(self, step: int) -> Tensor:
        """int64 (size,): sample indices of `step` (from 0)."""
        first = step * self.size
        last = first + self.size - 1
        orders = [self._order(epoch) for epoch in range(first // self.n, last // self.n + 1)]
        return torch.cat(orders)[first % self.n :][: self.size]

    def _order(self, epoch: int) -> Tensor:
        return _order(self.n, self.seed, self.stage, epoch)


@lru_cache(maxsize=4)
def _order(n: int, seed: int, stage: str, epoch: int) -> Tensor:
    """Permutation of an epoch, cached for all of its steps."""
    return permutation(n, seed, stage, "order", epoch)
