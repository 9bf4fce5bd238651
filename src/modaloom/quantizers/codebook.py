"""Codebooks: K vectors, how they start, learn and are brought back to life.

Both kinds keep an exponential moving average (EMA) of how many vectors of a batch choose each code. All of a
codebook's state is in its tensors: saved and loaded, it goes on to the same bits.
"""

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from modaloom.quantizers.error import squared_error
from modaloom.quantizers.kmeans import draw, kmeans, pulls


class Codebook(nn.Module, ABC):
    """`vectors` float32 (K, D), zeros until `start`; `count` float32 (K,), the EMA of choices per batch.

    decay: of the EMA, per batch. dead: a code is dead below this share of the mean number of choices, N/K.
    revived: the most codes, as a share of K (rounded up), that may come back to life in one batch.
    """

    vectors: Tensor
    count: Tensor
    started: Tensor

    def __init__(self, size: int, *, decay: float, dead: float, revived: float) -> None:
        super().__init__()
        self.decay, self.dead, self.most = decay, dead, math.ceil(revived * size)
        self.register_buffer("count", torch.zeros(size))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    @abstractmethod
    def loss(self, z: Tensor, e: Tensor) -> Tensor:
        """Scalar that pulls e (N, D), rows of `vectors`, to the detached z (N, D); 0 if not by gradient."""

    @abstractmethod
    def _move(self, pull: Tensor) -> None:
        """Learn from pull (K, D) = Σ(z − vector) of this batch; `count` has been updated."""

    @torch.no_grad()
    def start(self, z: Tensor, generator: torch.Generator | None) -> None:
        """Put the vectors at the k-means centroids of z (N, D), and count what each one is the mean of."""
        centroids, counts = kmeans(z, len(self.count), generator=generator)
        self.vectors.copy_(centroids)
        self.count.copy_(counts)
        self.started.fill_(True)

    @torch.no_grad()
    def update(self, z: Tensor, codes: Tensor, generator: torch.Generator | None) -> None:
        """Learn from z (N, D), finite, N ≥ 1, and the codes (N,) that it chose."""
        pull, hits = map(_reduce, pulls(z, codes, self.vectors))
        self.count.lerp_(hits, 1 - self.decay)
        self._move(pull)
        self._revive(z, generator)

    def _revive(self, z: Tensor, generator: torch.Generator | None) -> None:
        """Move the deadest codes to random vectors of the batch, with the mean count so that they live on.

        The threshold scales with N/K: an absolute one expires everything once K nears N.
        """
        mean = len(z) / len(self.count)
        rarest = self.count.argsort(stable=True)[: min(self.most, len(z))]
        dead = rarest[self.count[rarest] < self.dead * mean]
        if len(dead):
            self.vectors[dead] = draw(z, len(dead), generator)
            self.count[dead] = mean


class EMACodebook(Codebook):
    """Each vector is the exponential moving mean of what chose it (van den Oord et al. 2017, appendix A.1).

    The paper keeps sums m and counts c with e = m/c. Here e itself is kept and moved by (1 − γ)Σ(z − e)/c,
    which is the same number. There is no second copy to forget at start or revival, and a code without a hit
    stays exactly where it is, without the Laplace smoothing that would drag it to the origin.
    """

    def __init__(self, dim: int, size: int, *, decay: float, dead: float, revived: float) -> None:
        super().__init__(size, decay=decay, dead=dead, revived=revived)
        self.register_buffer("vectors", torch.zeros(size, dim))

    def loss(self, z: Tensor, e: Tensor) -> Tensor:
        return z.new_zeros(())

    def _move(self, pull: Tensor) -> None:
        tiny = torch.finfo(self.count.dtype).tiny
        self.vectors += pull * ((1 - self.decay) / self.count.clamp(min=tiny))[:, None]


class GradientCodebook(Codebook):
    """The vectors are a parameter, pulled by ‖sg[z] − e‖² (van den Oord et al. 2017, eq. 3).

    Keep it out of weight decay: that would drag rare codes to the origin.
    """

    def __init__(self, dim: int, size: int, *, decay: float, dead: float, revived: float) -> None:
        super().__init__(size, decay=decay, dead=dead, revived=revived)
        self.vectors = nn.Parameter(torch.zeros(size, dim))

    def loss(self, z: Tensor, e: Tensor) -> Tensor:
        return squared_error(e, z) / max(1, z.numel())

    def _move(self, pull: Tensor) -> None:
        """Nothing: the optimizer moves them."""


CODEBOOKS: dict[str, type[EMACodebook] | type[GradientCodebook]] = {
    "ema": EMACodebook,
    "gradient": GradientCodebook,
}


def _reduce(statistic: Tensor) -> Tensor:
    """The sum of a batch statistic over all processes. There is one process; an all-reduce would go here."""
    return statistic
