"""Quantization of the direction of a vector, without its length."""

import torch
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import check_range
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, is_learnable, learnable, rows_of
from modaloom.quantizers.unit import direction


class Normalized(Quantizer):
    """z_q = g·inner(z/‖z‖) with a scalar gain g; cosine similarity if codes are unit vectors (ViT-VQGAN).

    g = Σ⟨z, q⟩ / Σ⟨q, q⟩, the least-squares gain for the quantized directions q, a ratio of moving averages
    over batches; 1 before the first batch. The loss is the inner quantizer's, on directions. Zero stays zero.

    `decay`: of the averages per batch; raises `BadValue` unless it is in 0–1.
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
        """The gain g, a scalar tensor."""
        return self.products[0] / self.products[1].clamp(min=torch.finfo(self.products.dtype).tiny)

    def forward(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        if mask is not None:  # 0 · NaN of a masked vector would make the gradient NaN
            rows = rows.masked_fill(~mask.reshape(-1, 1), 0)
        out: Quantized = self.inner(
            direction(rows).reshape(z.shape), mask=mask, generator=generator, distributed=distributed
        )
        seen, chosen = rows[counts].detach(), out.z_q.detach().reshape(-1, self.dim)[counts]
        if self.training and not self.started and is_learnable(seen, distributed):
            self.products.copy_(_products(seen, chosen, distributed))
            self.started.fill_(True)
        gain = self.gain
        if self.training and (batch := learnable(distributed, seen, chosen)):
            self.products.lerp_(_products(batch.rows[0], batch.rows[1], batch.ranks), 1 - self.decay)
        measured = {**out.stats, "distortion": stats.distortion(seen, gain * chosen, distributed=distributed)}
        return Quantized(gain * out.z_q, out.codes, out.loss, measured)

    def decode(self, codes: Tensor) -> Tensor:
        return self.gain * self.inner.decode(codes)

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return self.inner.codebook_sizes

    @property
    def vectors(self) -> Tensor:
        return self.gain * self.inner.vectors


def _products(z: Tensor, q: Tensor, distributed: Distributed) -> Tensor:
    """Σ⟨z, q⟩ and Σ⟨q, q⟩ over the rows of all ranks."""
    return distributed.sum(torch.stack([(z * q).sum(), q.square().sum()]))
