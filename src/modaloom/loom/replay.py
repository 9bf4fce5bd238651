"""Samples drawn by the run that a training starts from, which keep what it knows (generative replay).

Shin et al. 2017, "Continual learning with deep generative replay".
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from modaloom.core.distributed import Distributed
from modaloom.core.frame import finished
from modaloom.core.rng import derive
from modaloom.loom.run import load
from modaloom.runs.config import OptimizerConfig
from modaloom.training.batch_sampler import BatchSampler, check_size

NUM_SAMPLES = 1024
"""Samples that are drawn before the first step."""


@dataclass(frozen=True)
class Replay:
    """Samples of a run, in codes; by default none."""

    codes: Mapping[str, Tensor] = field(default_factory=dict)
    """Stream → int64 (n, L, Q)."""
    fact: str = ""
    """What they depend on."""

    @property
    def n(self) -> int:
        """Number of samples."""
        return max(map(len, self.codes.values()), default=0)

    @classmethod
    def draw(cls, run: str, streams: Collection[str], seed: int, n: int = NUM_SAMPLES) -> Self:
        """Draw samples of all streams together, given nothing; none if the run generates none of them.

        Args:
            run: a finished run of a Loom.
            streams: those whose tokenizers are the run's own.
            seed: seed of the noise.
            n: number of samples.
        """
        source = load(run, device="cpu")
        wanted = [name for name in source.model.wanted if name in streams]
        if not wanted:
            return cls()
        drawn = finished(source.model.stream({}, wanted, n=n, seed=derive(seed, "replay")))
        return cls(drawn, f"{source.hash} {seed} {n}")


@dataclass(frozen=True)
class MixedBatches:
    """Batches with samples of two sets; those of the second are numbered after those of the first.

    Both samplers give the batches of all ranks.
    """

    first: BatchSampler
    second: BatchSampler
    distributed: Distributed

    @classmethod
    def of(
        cls,
        counts: tuple[int, int],
        elements: Sequence[int | Sequence[int]],
        share: float,
        optimizer: OptimizerConfig,
        seed: int,
        distributed: Distributed,
    ) -> Self:
        """Batches of which the second set has the given share; a small set is repeated within a batch.

        Args:
            counts: number of samples of each set.
            elements: of each set: elements of every sample, or of each.
            share: fraction of a batch, and of its elements, from the second set.
            optimizer: size of a batch in samples and elements.
            seed: seed of the order of the samples.
            distributed: the ranks.

        Raises:
            BadValue: a batch has fewer samples than there are ranks.
        """
        own = max(1, round((1 - share) * optimizer.batch_size))
        sizes = own, max(1, optimizer.batch_size - own)
        check_size("loom", sum(sizes), distributed)
        least = min(own, distributed.size)
        first, second = (
            BatchSampler(
                n,
                size,
                seed,
                f"loom, {i}",
                elements=of_each,
                max_elements=part * optimizer.max_batch_elements,
                min_size=max(1, min_size),
            )
            for i, (n, size, of_each, part, min_size) in enumerate(
                zip(counts, sizes, elements, (1 - share, share), (least, distributed.size - least))
            )
        )
        return cls(first, second, distributed)

    @property
    def size(self) -> int:
        """Number of samples of a batch, of all ranks together."""
        return self.first.size + self.second.size

    def __call__(self, step: int) -> Tensor:
        """int64 (n,): this rank's sample indices of `step` (from 0)."""
        whole = torch.cat([self.first(step), self.first.n + self.second(step)])
        return self.distributed.split(len(whole)).own(whole)
