"""The direction of a vector quantized, its length not."""

import torch
from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, is_finite, rows_of
from modaloom.quantizers.unit import direction


class Normalized(Quantizer):
    """z_q = g·inner(z/‖z‖) with one gain g: with unit codes, cosine similarity chooses (arXiv 2110.04627).

    g = Σ⟨z, q⟩ / Σ⟨q, q⟩, the gain of least squared error for the directions q that were chosen: a ratio of
    moving averages over batches. Before the first batch g is 1. The inner loss is that of the directions.
    A zero vector stays zero.

    decay: of the averages, per batch. Raises `BadValue` if it is not in 0..1.
    """

    def __init__(self, inner: Quantizer, *, decay: float) -> None:
        super().__init__()
        check_range("decay", decay, 0, 1)
        self.dim, self.inner, self.decay = inner.dim, inner, decay
        self.register_buffer("products", torch.ones(2))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))
        self.products: Tensor
        self.started: Tensor

    @property
    def gain(self) -> Tensor:
        """g, a scalar of its own."""
        return self.products[0] / self.products[1].clamp(min=torch.finfo(self.products.dtype).tiny)

    def forward(
        self, z: Tensor, *, mask: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        if mask is not None:  # 0 · NaN of a vector left out would spoil the gradient
            rows = rows.masked_fill(~mask.reshape(-1, 1), 0)
        out: Quantized = self.inner(direction(rows).reshape(z.shape), mask=mask, generator=generator)
        seen, chosen = rows[counts].detach(), out.z_q.detach().reshape(-1, self.dim)[counts]
        learns = self.training and len(seen) > 0 and is_finite(seen)
        now = torch.stack([(seen * chosen).sum(), chosen.square().sum()])
        if learns and not self.started:
            self.products.copy_(now)
            self.started.fill_(True)
        gain = self.gain
        if learns:
            self.products.lerp_(now, 1 - self.decay)
        measured = {**out.stats, "distortion": stats.distortion(seen, gain * chosen)}
        return Quantized(gain * out.z_q, out.codes, out.loss, measured)

    def decode(self, codes: Tensor) -> Tensor:
        return self.gain * self.inner.decode(codes)

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return self.inner.codebook_sizes

    @property
    def vectors(self) -> Tensor:
        return self.gain * self.inner.vectors
