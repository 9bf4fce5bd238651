"""Codebooks: K vectors with their initialisation, update and restart of dead codes.

Each keeps an exponential moving average (EMA) of the number of vectors per batch assigned to each code. All
state is in tensors, so that training resumes bit for bit from a checkpoint.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.quantizers.error import mean_squared_error
from modaloom.quantizers.kmeans import flat, kmeans, residual_sums, sample_rows


class Codebook(nn.Module, ABC):
    """Code vectors.

    `vectors` float32 (K, D); `count` float32 (K,), the EMA of assignments per batch; `started`, a bool:
    whether the vectors are initialised.
    """

    vectors: Tensor
    count: Tensor
    started: Tensor

    @property
    @abstractmethod
    def used(self) -> int:
        """The number A ≤ K of codes in use: the first A vectors."""

    @abstractmethod
    def start(self, z: Tensor, generator: torch.Generator | None) -> None:
        """Initialise the vectors from the first batch z (N, D) of all ranks, finite, N ≥ 1."""

    @abstractmethod
    def loss(self, z: Tensor, e: Tensor, distributed: Distributed) -> Tensor:
        """Codebook loss of e (N, D), rows of `vectors`, and detached z (N, D); 0 if trained by EMA."""

    @abstractmethod
    def update(
        self,
        z: Tensor,
        codes: Tensor,
        generator: torch.Generator | None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> None:
        """Update from z (N, D), finite, and its codes (N,); N ≥ 1 over all ranks."""


class FreeCodebook(Codebook):
    """Independent vectors, initialised by k-means, with restarts of dead codes.

    Args:
        size: codebook size K.
        decay: of the EMA per batch, 0–1.
        dead_code_threshold: a code is dead if its count is below this fraction of the mean count N/K, 0–1.
        max_restart_fraction: at most this fraction of K (rounded up) is restarted per batch, 0–1.
        surface: projection onto the set where the vectors lie, e.g. the unit sphere.
    """

    def __init__(
        self,
        size: int,
        *,
        decay: float,
        dead_code_threshold: float,
        max_restart_fraction: float,
        surface: Callable[[Tensor], Tensor] = flat,
    ) -> None:
        super().__init__()
        self.decay, self.dead_code_threshold, self.max_restart_fraction, self.surface = (
            decay,
            dead_code_threshold,
            max_restart_fraction,
            surface,
        )
        self.register_buffer("count", torch.zeros(size))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    @abstractmethod
    def _move(self, pull: Tensor) -> None:
        """Update the vectors from pull (K, D) = Σ(z − vector) of this batch; `count` has been updated."""

    @property
    def used(self) -> int:
        return len(self.count)

    @torch.no_grad()
    def start(self, z: Tensor, generator: torch.Generator | None, *, first: int | None = None) -> None:
        """Set the `first` vectors (default: all) to k-means centroids of z, and their counts."""
        centroids, counts = kmeans(z, first or len(self.count), surface=self.surface, generator=generator)
        self.vectors[:first] = centroids
        self.count[:first] = counts
        self.started.fill_(True)

    @torch.no_grad()
    def update(
        self,
        z: Tensor,
        codes: Tensor,
        generator: torch.Generator | None,
        distributed: Distributed = SINGLE_PROCESS,
        *,
        first: int | None = None,
    ) -> None:
        """Update the codebook from a batch.

        Args:
            z: float32 (N, D), finite; N ≥ 1 over all ranks.
            codes: int64 (N,), the codes of z.
            generator: of restarts.
            distributed: whose vectors count.
            first: number of codes in use; None: all.
        """
        z = self.surface(z)
        pull, hits = map(distributed.sum, residual_sums(z, codes, self.vectors))
        self.count.lerp_(hits, 1 - self.decay)
        self._move(pull)
        self._restart_dead_codes(z, self.count[:first], generator, distributed)

    @torch.no_grad()
    def set_vectors(self, codes: Tensor, rows: Tensor, counts: Tensor) -> None:
        """Set the vectors of `codes` (n,) to rows (n, D), and their counts to `counts` (n,)."""
        self.vectors[codes] = self.surface(rows)
        self.count[codes] = counts

    def _restart_dead_codes(
        self, z: Tensor, count: Tensor, generator: torch.Generator | None, distributed: Distributed
    ) -> None:
        """Move the least used dead codes to random vectors of the batch, with the mean count.

        The threshold is relative to N/K; an absolute one would restart all codes where K is close to N.
        """
        total = distributed.count(len(z))
        mean = total / len(count)
        max_restarts = math.ceil(self.max_restart_fraction * len(count))
        rarest = count.argsort(stable=True)[: min(max_restarts, total)]
        dead = rarest[count[rarest] < self.dead_code_threshold * mean]
        if len(dead):
            rows = sample_rows(distributed.gather(z), len(dead), generator)
            self.set_vectors(dead, rows, torch.full((len(dead),), mean).to(count))


class EMACodebook(FreeCodebook):
    """Each vector is the EMA of the vectors assigned to it (van den Oord et al. 2017, appendix A.1).

    The paper keeps sums m and counts c with e = m/c. Here e itself is stored and updated by
    (1 − γ)Σ(z − e)/c, which is equal. There is no second copy to reset at initialisation or restart, and
    unused codes are unchanged, without the Laplace smoothing that pulls them to the origin. The updated
    vectors are projected onto `surface`.

    Args:
        dim: width D of the vectors.
        size: codebook size K.
        decay: of the EMA per batch, 0–1.
        dead_code_threshold: a code is dead if its count is below this fraction of the mean count N/K, 0–1.
        max_restart_fraction: at most this fraction of K (rounded up) is restarted per batch, 0–1.
        surface: projection onto the set where the vectors lie, e.g. the unit sphere.
    """

    def __init__(
        self,
        dim: int,
        size: int,
        *,
        decay: float,
        dead_code_threshold: float,
        max_restart_fraction: float,
        surface: Callable[[Tensor], Tensor] = flat,
    ) -> None:
        super().__init__(
            size,
            decay=decay,
            dead_code_threshold=dead_code_threshold,
            max_restart_fraction=max_restart_fraction,
            surface=surface,
        )
        self.register_buffer("vectors", torch.zeros(size, dim))

    def loss(self, z: Tensor, e: Tensor, distributed: Distributed) -> Tensor:
        return z.new_zeros(())

    def _move(self, pull: Tensor) -> None:
        tiny = torch.finfo(self.count.dtype).tiny
        self.vectors += pull * ((1 - self.decay) / self.count.clamp(min=tiny))[:, None]
        self.vectors.copy_(self.surface(self.vectors))


class GradientCodebook(FreeCodebook):
    """The vectors are a parameter, trained by ‖sg[z] − e‖² (van den Oord et al. 2017, eq. 3).

    Exclude it from weight decay, which would pull rare codes to the origin.

    Args:
        dim: width D of the vectors.
        size: codebook size K.
        decay: of the EMA per batch, 0–1.
        dead_code_threshold: a code is dead if its count is below this fraction of the mean count N/K, 0–1.
        max_restart_fraction: at most this fraction of K (rounded up) is restarted per batch, 0–1.
    """

    def __init__(
        self, dim: int, size: int, *, decay: float, dead_code_threshold: float, max_restart_fraction: float
    ) -> None:
        super().__init__(
            size,
            decay=decay,
            dead_code_threshold=dead_code_threshold,
            max_restart_fraction=max_restart_fraction,
        )
        self.vectors = nn.Parameter(torch.zeros(size, dim))

    def loss(self, z: Tensor, e: Tensor, distributed: Distributed) -> Tensor:
        return mean_squared_error(e, z, distributed)

    def _move(self, pull: Tensor) -> None:
        """Nothing: the optimizer updates the vectors."""
