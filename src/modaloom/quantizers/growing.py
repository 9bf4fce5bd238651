"""A codebook that grows by splitting codes (LBG; Linde, Buzo & Gray 1980).

Legend: N vectors, K codes, A of them in use, D = dim.
"""

import torch
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import BadValue, check_range
from modaloom.quantizers.codebook import Codebook, FreeCodebook
from modaloom.quantizers.error import squared_deviation
from modaloom.quantizers.options import GrowthConfig
from modaloom.quantizers.unit import direction

SPLIT_STEP = 0.5
"""Offset of the two halves of a split code, in standard deviations: less than the 0.8 between the mean of a
normal distribution and those of its halves, so that neither ends in a neighbour's cell."""
MAX_SPLIT_COUNT = 0.4
"""Upper bound of a half's count, as a fraction of the mean count: it adapts quickly or is found dead."""
SPREAD_INIT_SCALE = 1e-3
"""Scale of a random initial spread relative to a measured one, small enough to be replaced quickly."""


class GrowingCodebook(Codebook):
    """A `FreeCodebook` whose number A of used codes grows.

    A is `initial_codes` at first and doubles in every `doubling_steps` batches, until all codes are used or
    the relative distortion is at most `target_distortion`.

    Codes are split in order of `error_weight` · their fraction of the squared error Σ‖z − e‖² +
    (1 − error_weight) · their fraction of the assignments. e becomes e ± SPLIT_STEP·σv, with v the principal
    direction of its members and σ their standard deviation along it; each half gets half the count, at most
    MAX_SPLIT_COUNT of the mean. Error and spread are moving averages with the inner codebook's decay. The
    spread of a code is s = E[Σ d(d·v)] with d = z − e and v = s/‖s‖: one step of power iteration on its
    members' covariance per batch, where ‖s‖ → Σ(d·v)².

    Raises `BadValue` unless the inner codebook is a `FreeCodebook` with at least `initial_codes` vectors.
    """

    def __init__(self, inner: Codebook, growth: GrowthConfig) -> None:
        super().__init__()
        if not isinstance(inner, FreeCodebook):
            raise BadValue(f"{type(inner).__name__} cannot grow; choose the codebook ema, gradient or sphere")
        size, dim = inner.vectors.shape
        check_range("growth.initial_codes", growth.initial_codes, 1, size)
        self.inner, self.growth = inner, growth
        self.register_buffer("active", torch.tensor(growth.initial_codes))
        self.register_buffer("batches", torch.tensor(0))
        self.register_buffer("error", torch.zeros(size))
        self.register_buffer("variance", torch.zeros(()))
        self.register_buffer("spread", torch.zeros(size, dim))
        self.active: Tensor
        self.batches: Tensor
        self.error: Tensor
        self.variance: Tensor
        self.spread: Tensor

    @property
    def vectors(self) -> Tensor:  # type: ignore[override]
        return self.inner.vectors

    @property
    def count(self) -> Tensor:  # type: ignore[override]
        return self.inner.count

    @property
    def started(self) -> Tensor:  # type: ignore[override]
        return self.inner.started

    @property
    def used(self) -> int:
        return int(self.active)

    @torch.no_grad()
    def start(self, z: Tensor, generator: torch.Generator | None) -> None:
        self.inner.start(z, generator, first=self.used)
        members = squared_deviation(z, SINGLE_PROCESS) / self.used
        self.spread.copy_(SPREAD_INIT_SCALE * members * _directions(self.spread, generator))

    def loss(self, z: Tensor, e: Tensor, distributed: Distributed) -> Tensor:
        return self.inner.loss(z, e, distributed)

    @torch.no_grad()
    def update(
        self,
        z: Tensor,
        codes: Tensor,
        generator: torch.Generator | None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> None:
        self._measure(self.inner.surface(z), codes, distributed)
        self.inner.update(z, codes, generator, distributed, first=self.used)
        self.batches += 1
        missing = self._scheduled_size() - self.used
        if missing > 0:
            self._split(min(missing, self.used), generator)

    def _scheduled_size(self) -> int:
        """The scheduled A, or the current A if the target distortion is reached."""
        if self.error.sum() <= self.growth.target_distortion * self.variance:
            return self.used
        doubled = self.growth.initial_codes * 2.0 ** min(64.0, int(self.batches) / self.growth.doubling_steps)
        return min(len(self.count), int(doubled))

    def _measure(self, z: Tensor, codes: Tensor, distributed: Distributed) -> None:
        off = z - self.vectors[codes]
        along = (off * direction(self.spread)[codes]).sum(1, keepdim=True)
        error = torch.zeros_like(self.error).index_add_(0, codes, off.square().sum(1))
        spread = torch.zeros_like(self.spread).index_add_(0, codes, off * along)
        self.error.lerp_(distributed.sum(error), 1 - self.inner.decay)
        self.spread.lerp_(distributed.sum(spread), 1 - self.inner.decay)
        self.variance.lerp_(squared_deviation(z, distributed), 1 - self.inner.decay)

    def _split_scores(self) -> Tensor:
        """Priority of splitting each code (K,): weighted fractions of squared error and assignments."""
        error, count = (x / x.sum().clamp(min=torch.finfo(x.dtype).tiny) for x in (self.error, self.count))
        return self.growth.error_weight * error + (1 - self.growth.error_weight) * count

    def _split(self, n: int, generator: torch.Generator | None) -> None:
        """Split the n codes of the highest score; the new halves are the next n codes."""
        old = self._split_scores()[: self.used].topk(n).indices
        new = self.used + torch.arange(n, device=old.device)
        count, error, spread = self.count[old] / 2, self.error[old] / 2, self.spread[old]
        length = spread.norm(dim=1)
        deviation = (length / (2 * count).clamp(min=torch.finfo(count.dtype).tiny)).sqrt()
        step = SPLIT_STEP * deviation[:, None] * direction(spread)
        max_count = MAX_SPLIT_COUNT * self.count.sum() / (self.used + n)
        centre = self.vectors[old].clone()
        for codes, sign in ((old, 1), (new, -1)):
            self.inner.set_vectors(codes, centre + sign * step, count.clamp(max=max_count))
            self.error[codes] = error
            self.spread[codes] = SPREAD_INIT_SCALE * length[:, None] * _directions(spread, generator)
        self.active += n


def _directions(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Random unit vectors of the shape (n, D) of `like`."""
    device = generator.device if generator else like.device
    return direction(torch.randn(like.shape, generator=generator, device=device)).to(like)
