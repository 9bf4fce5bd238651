"""Factorized codes: quantization after a linear projection (ViT-VQGAN, arXiv 2110.04627, §3.2)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import check_range
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, rows_of
from modaloom.quantizers.error import mean_squared_error


class Projected(Quantizer):
    """z_q = U·inner(Vz + a) + b with learned projections V (inner.dim, dim) down and U (dim, inner.dim) up.

    loss = inner loss + β‖z − z_q‖², the mean over values. The second term, which the paper leaves to the
    decoder, trains U in residual stages, too, which are trained by their own losses alone. V is initialised
    with orthonormal rows (columns, if inner.dim is larger) and U with Vᵀ. Both need the optimizer.

    Args:
        inner: quantizer of the projected vectors.
        dim: width of the vectors, at least 1.
        commitment: β, at least 0.

    Raises:
        BadValue: for a value out of range.
    """

    def __init__(self, inner: Quantizer, dim: int, *, commitment: float) -> None:
        super().__init__()
        check_range("dim", dim, 1)
        check_range("commitment", commitment, 0)
        self.dim, self.commitment, self.inner = dim, commitment, inner
        self.down, self.up = nn.Linear(dim, inner.dim), nn.Linear(inner.dim, dim)
        nn.init.orthogonal_(self.down.weight)
        with torch.no_grad():
            self.up.weight.copy_(self.down.weight.T)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.bias)

    def forward(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        if mask is not None:  # 0 · NaN of a masked vector would make the gradients NaN
            rows = rows.masked_fill(~mask.reshape(-1, 1), 0)
        with torch.autocast(z.device.type, enabled=False):
            narrow = self.down(rows).reshape(*z.shape[:-1], self.inner.dim)
            out: Quantized = self.inner(narrow, mask=mask, generator=generator, distributed=distributed)
            z_q = self.up(out.z_q)
        ends = rows[counts], z_q.reshape(-1, self.dim)[counts]
        loss = out.loss + self.commitment * mean_squared_error(*ends, distributed)
        distortion = stats.distortion(*(end.detach() for end in ends), distributed=distributed)
        measured = {**out.stats, "distortion": distortion}
        return Quantized(z_q, out.codes, loss, measured)

    def decode(self, codes: Tensor) -> Tensor:
        with torch.autocast(codes.device.type, enabled=False):
            return F.linear(self.inner.decode(codes), self.up.weight.detach(), self.up.bias.detach())

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return self.inner.codebook_sizes

    @property
    def vectors(self) -> Tensor:
        """The bias is added to the first depth, so that the vectors sum to the decoded one."""
        with torch.autocast(self.up.weight.device.type, enabled=False):
            wide = F.linear(self.inner.vectors, self.up.weight.detach())
        return torch.cat([wide[:1] + self.up.bias.detach(), wide[1:]])
