"""A codebook that grows: the codes that lose most are split in two (Linde, Buzo & Gray 1980).

Legend: N vectors, K codes, A of them in use, D = dim.
"""

import torch
from torch import Tensor

from modaloom.core.errors import BadValue, check_range
from modaloom.quantizers.codebook import Codebook, FreeCodebook
from modaloom.quantizers.options import GrowthConfig
from modaloom.quantizers.unit import direction

SPLIT_STEP = 0.5
"""Deviations by which the halves of a code step apart: less than the 0.8 between the mean of a normal
distribution and those of its halves, so as not to end in a neighbour's cell."""
MAX_SPLIT_COUNT = 0.4
"""The most that a new half counts, as a share of the mean count: it soon finds its place, or is seen dead."""
SPREAD_INIT_SCALE = 1e-3
"""A guessed spread, as a share of a measured one: soon outweighed."""


class GrowingCodebook(Codebook):
    """Any codebook of free vectors, of which the first A are in use: `initial_codes`, and twice
    as many after every `doubling_steps` batches, a few more at a time, until all are or the relative
    distortion is at most `target_distortion`.

    Those codes split that are largest in `error_weight` · their share of the squared error Σ‖z − e‖² + (1 −
    error_weight) · their share of the choices. e becomes e ± SPLIT_STEP·σv, v the direction in which its
    members spread most and σ their deviation in it; the two share its count, but for MAX_SPLIT_COUNT. Error
    and spread are moving averages with the inner codebook's decay. The spread of a code is s = E[Σ d(d·v)]
    with d = z − e and v = s/‖s‖: a power iteration on its members' covariance, one step a batch, where ‖s‖ →
    Σ(d·v)².

    Raises `BadValue` if the inner codebook's vectors are not free, or fewer than `initial_codes`.
    """

    def __init__(self, inner: Codebook, growth: GrowthConfig) -> None:
        super().__init__()
        if not isinstance(inner, FreeCodebook):
            raise BadValue(
                f"{type(inner).__name__} cannot grow; choose a codebook of free vectors, such as ema"
            )
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
        members = (z - z.mean(0)).square().sum() / self.used
        self.spread.copy_(SPREAD_INIT_SCALE * members * _directions(self.spread, generator))

    def loss(self, z: Tensor, e: Tensor) -> Tensor:
        return self.inner.loss(z, e)

    @torch.no_grad()
    def update(self, z: Tensor, codes: Tensor, generator: torch.Generator | None) -> None:
        self._measure(self.inner.surface(z), codes)
        self.inner.update(z, codes, generator, first=self.used)
        self.batches += 1
        wanted = self._wanted() - self.used
        if wanted > 0:
            self._split(min(wanted, self.used), generator)

    def _wanted(self) -> int:
        """A by the schedule, or as it is where the target is reached."""
        if self.error.sum() <= self.growth.target_distortion * self.variance:
            return self.used
        doubled = self.growth.initial_codes * 2.0 ** min(64.0, int(self.batches) / self.growth.doubling_steps)
        return min(len(self.count), int(doubled))

    def _measure(self, z: Tensor, codes: Tensor) -> None:
        off = z - self.vectors[codes]
        along = (off * direction(self.spread)[codes]).sum(1, keepdim=True)
        error = torch.zeros_like(self.error).index_add_(0, codes, off.square().sum(1))
        spread = torch.zeros_like(self.spread).index_add_(0, codes, off * along)
        variance = (z - z.mean(0)).square().sum()
        for average, now in ((self.error, error), (self.spread, spread), (self.variance, variance)):
            average.lerp_(now, 1 - self.inner.decay)

    def _worth(self) -> Tensor:
        """What is to be won by splitting each code (K,): in squared error and in even use."""
        error, count = (x / x.sum().clamp(min=torch.finfo(x.dtype).tiny) for x in (self.error, self.count))
        return self.growth.error_weight * error + (1 - self.growth.error_weight) * count

    def _split(self, n: int, generator: torch.Generator | None) -> None:
        """The n worthiest codes, into themselves and the n that come next."""
        old = self._worth()[: self.used].topk(n).indices
        new = self.used + torch.arange(n, device=old.device)
        count, error, spread = self.count[old] / 2, self.error[old] / 2, self.spread[old]
        length = spread.norm(dim=1)
        deviation = (length / (2 * count).clamp(min=torch.finfo(count.dtype).tiny)).sqrt()
        step = SPLIT_STEP * deviation[:, None] * direction(spread)
        most = MAX_SPLIT_COUNT * self.count.sum() / (self.used + n)
        middle = self.vectors[old].clone()
        for codes, sign in ((old, 1), (new, -1)):
            self.inner.place(codes, middle + sign * step, count.clamp(max=most))
            self.error[codes] = error
            self.spread[codes] = SPREAD_INIT_SCALE * length[:, None] * _directions(spread, generator)
        self.active += n


def _directions(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Random vectors of this shape (n, D) and of length 1."""
    device = generator.device if generator else like.device
    return direction(torch.randn(like.shape, generator=generator, device=device)).to(like)
