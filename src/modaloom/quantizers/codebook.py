"""Codebooks: K vectors, how they start, learn and are brought back to life.

Every kind keeps an exponential moving average (EMA) of how many vectors of a batch choose each code. All of a
codebook's state is in its tensors: saved and loaded, it goes on to the same bits.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from modaloom.quantizers.error import squared_error
from modaloom.quantizers.kmeans import draw, flat, kmeans, pulls


class Codebook(nn.Module, ABC):
    """`vectors` float32 (K, D); `count` float32 (K,), the EMA of choices per batch; `started`, a bool."""

    vectors: Tensor
    count: Tensor
    started: Tensor

    @property
    @abstractmethod
    def used(self) -> int:
        """A ≤ K: only the first A vectors can be chosen."""

    @abstractmethod
    def start(self, z: Tensor, generator: torch.Generator | None) -> None:
        """Fit the vectors to the first batch z (N, D), finite, N ≥ 1."""

    @abstractmethod
    def loss(self, z: Tensor, e: Tensor) -> Tensor:
        """Scalar that pulls e (N, D), rows of `vectors`, to the detached z (N, D); 0 if not by gradient."""

    @abstractmethod
    def update(self, z: Tensor, codes: Tensor, generator: torch.Generator | None) -> None:
        """Learn from z (N, D), finite, N ≥ 1, and the codes (N,) that it chose."""


class FreeCodebook(Codebook):
    """Vectors that move each for itself: zeros until `start`, dead ones brought back to life.

    decay: of the EMA, per batch. dead_code_threshold: a code is dead below this share of the mean number of
    choices, N/K.
    max_restart_fraction: the most codes, as a share of K (rounded up), that may come back to life in one
    batch.
    surface: where vectors may lie; moves any onto it.
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
        """Learn from pull (K, D) = Σ(z − vector) of this batch; `count` has been updated."""

    @property
    def used(self) -> int:
        return len(self.count)

    @torch.no_grad()
    def start(self, z: Tensor, generator: torch.Generator | None, *, first: int | None = None) -> None:
        """Put the `first` vectors (default: all) at the k-means centroids of z; count their members."""
        centroids, counts = kmeans(z, first or len(self.count), surface=self.surface, generator=generator)
        self.vectors[:first] = centroids
        self.count[:first] = counts
        self.started.fill_(True)

    @torch.no_grad()
    def update(
        self, z: Tensor, codes: Tensor, generator: torch.Generator | None, *, first: int | None = None
    ) -> None:
        """As `Codebook.update`, where only the `first` codes (default: all) are in use."""
        z = self.surface(z)
        pull, hits = map(_reduce, pulls(z, codes, self.vectors))
        self.count.lerp_(hits, 1 - self.decay)
        self._move(pull)
        self._revive(z, self.count[:first], generator)

    @torch.no_grad()
    def place(self, codes: Tensor, rows: Tensor, counts: Tensor) -> None:
        """Put the vectors of `codes` (n,) at rows (n, D), as if `counts` (n,) had been choosing them."""
        self.vectors[codes] = self.surface(rows)
        self.count[codes] = counts

    def _revive(self, z: Tensor, count: Tensor, generator: torch.Generator | None) -> None:
        """Move the deadest codes to random vectors of the batch, with the mean count so that they live on.

        The threshold scales with N/K: an absolute one expires everything once K nears N.
        """
        mean = len(z) / len(count)
        most = math.ceil(self.max_restart_fraction * len(count))
        rarest = count.argsort(stable=True)[: min(most, len(z))]
        dead = rarest[count[rarest] < self.dead_code_threshold * mean]
        if len(dead):
            self.place(dead, draw(z, len(dead), generator), torch.full((len(dead),), mean).to(count))


class EMACodebook(FreeCodebook):
    """Each vector is the exponential moving mean of what chose it (van den Oord et al. 2017, appendix A.1).

    The paper keeps sums m and counts c with e = m/c. Here e itself is kept and moved by (1 − γ)Σ(z − e)/c,
    which is the same number. There is no second copy to forget at start or revival, and a code without a hit
    stays exactly where it is, without the Laplace smoothing that would drag it to the origin. On another
    surface than flat space the moved vector is brought back onto it.
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

    def loss(self, z: Tensor, e: Tensor) -> Tensor:
        return z.new_zeros(())

    def _move(self, pull: Tensor) -> None:
        tiny = torch.finfo(self.count.dtype).tiny
        self.vectors += pull * ((1 - self.decay) / self.count.clamp(min=tiny))[:, None]
        self.vectors.copy_(self.surface(self.vectors))


class GradientCodebook(FreeCodebook):
    """The vectors are a parameter, pulled by ‖sg[z] − e‖² (van den Oord et al. 2017, eq. 3).

    Keep it out of weight decay: that would drag rare codes to the origin.
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

    def loss(self, z: Tensor, e: Tensor) -> Tensor:
        return mean_pull(z, e)

    def _move(self, pull: Tensor) -> None:
        """Nothing: the optimizer moves them."""


def mean_pull(z: Tensor, e: Tensor) -> Tensor:
    """‖z − e‖² of z, e (N, D), the mean over all values."""
    return squared_error(e, z) / max(1, z.numel())


def _reduce(statistic: Tensor) -> Tensor:
    """The sum of a batch statistic over all processes. There is one process; an all-reduce would go here."""
    return statistic
