"""Which samples a step sees: a pure function of the step, so that a resumed training sees the same."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from modaloom.core.rng import permutation


@dataclass(frozen=True)
class BatchSampler:
    """Every epoch is one random order of range(n); a batch may span two."""

    n: int
    size: int
    seed: int
    stage: str

    def __call__(self, step: int) -> Tensor:
        """int64 (size,): the samples of `step` (from 0)."""
        first = step * self.size
        last = first + self.size - 1
        orders = [self._order(epoch) for epoch in range(first // self.n, last // self.n + 1)]
        return torch.cat(orders)[first % self.n :][: self.size]

    def _order(self, epoch: int) -> Tensor:
        return _order(self.n, self.seed, self.stage, epoch)


@lru_cache(maxsize=4)
def _order(n: int, seed: int, stage: str, epoch: int) -> Tensor:
    """Cached, because an epoch's order serves all its steps."""
    return permutation(n, seed, stage, "order", epoch)
