"""Batch indices as a pure function of the step, so that a resumed training uses the same batches."""

import math
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS, Distributed, Rows
from modaloom.core.errors import BadValue
from modaloom.core.rng import permutation
from modaloom.data.notices import Notify, silent


class BatchSampler:
    """Samples batches from one random permutation of range(n) per epoch; a batch may span epochs.

    Args:
        n: number of samples.
        size: maximum number of samples per batch, of all ranks together.
        seed: seed of the permutations.
        stage: name of the stage; each has its own permutations.
        distributed: the ranks; each gets consecutive samples of a batch, as many as the others or one
            more.
        elements: number of elements of a sample, or (n,), of each sample.
        max_elements: maximum number of elements per batch, which has at least `min_size` samples.
        min_size: samples that a batch has, however large they are; 0: one per rank.
        notify: told if all samples are so large that a batch has fewer than `size`.

    Raises:
        BadValue: a batch has fewer samples than there are ranks.
    """

    def __init__(
        self,
        n: int,
        size: int,
        seed: int,
        stage: str,
        distributed: Distributed = SINGLE_PROCESS,
        *,
        elements: int | Sequence[int] = 1,
        max_elements: float = math.inf,
        min_size: int = 0,
        notify: Notify = silent,
    ) -> None:
        check_size(stage, size, distributed)
        self.n, self.size, self.seed, self.stage, self.distributed = n, size, seed, stage, distributed
        self.elements, self.max_elements = np.broadcast_to(np.asarray(elements), (n,)), max_elements
        self.min_size = min_size or distributed.size
        self.same_size = bool(self.elements.min() == self.elements.max())
        """Whether all batches have `size` samples."""
        if self.same_size:
            self.size = self._fitting(self.elements[0] * np.arange(1, size + 1))
        if self.size < size:
            notify(
                f"{stage}: a step has {self.size} samples instead of {size}, since more have over "
                f"{max_elements:,} elements (max_batch_elements)"
            )
        self._starts, self._lock = [0], Lock()

    def __call__(self, step: int) -> Tensor:
        """int64 (rows(step).n,): this rank's sample indices of `step` (from 0)."""
        return self.rows(step).own(self._between(*self._span(step)))

    def rows(self, step: int) -> Rows:
        """Which samples of a batch are this rank's."""
        first, last = self._span(step)
        return self.distributed.split(last - first)

    def _span(self, step: int) -> tuple[int, int]:
        """Where a batch begins and ends in the sequence of all epochs."""
        if self.same_size:
            return step * self.size, (step + 1) * self.size
        with self._lock:  # batches are prepared by several threads
            while len(self._starts) < step + 2:
                first = self._starts[-1]
                seen = self._between(first, first + self.size).numpy()
                self._starts.append(first + self._fitting(self.elements[seen].cumsum()))
            return self._starts[step], self._starts[step + 1]

    def _fitting(self, sums: np.ndarray) -> int:
        """Samples that a batch has, from the cumulative elements of those that it may have."""
        fitting = np.searchsorted(sums, self.max_elements, side="right")
        return max(self.min_size, int(fitting))

    def _between(self, first: int, last: int) -> Tensor:
        """Samples `first` to `last` of the sequence of all epochs."""
        epochs = range(first // self.n, (last - 1) // self.n + 1)
        parts = [self._order(e)[max(0, first - e * self.n) : last - e * self.n] for e in epochs]
        return torch.cat(parts).long()

    def _order(self, epoch: int) -> Tensor:
        return _order(self.n, self.seed, self.stage, epoch)


def check_size(stage: str, size: int, distributed: Distributed) -> None:
    """Raise `BadValue` if a batch of so many samples has none for a rank."""
    if size < distributed.size:
        raise BadValue(
            f"a batch of {stage} has {size} samples for {distributed.size} processes; "
            "each needs one: raise batch_size, add data or use fewer devices"
        )


@lru_cache(maxsize=4)
def _order(n: int, seed: int, stage: str, epoch: int) -> Tensor:
    """Permutation of an epoch, cached for all of its steps."""
    return permutation(n, seed, stage, "order", epoch)
