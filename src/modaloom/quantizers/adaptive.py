"""Adaptive-rate residual quantization: the number of depths of a position depends on its error."""

import torch
import torch.nn.functional as F
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import BadValue, check_range
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, is_learnable, learnable, rows_of
from modaloom.quantizers.error import squared_deviation
from modaloom.quantizers.residual import Residual, total


class Adaptive(Quantizer):
    """Uses the fewest stages, at least 1, with ‖z − z_q‖² ≤ `target_distortion` · E‖z − mean‖², or all.

    Codes are 0..K. In the depths that a position does not use, the code is K, which decodes to the zero
    vector; so the codes also encode the depth, at the cost of its entropy. The stages are trained on all
    vectors. E‖z − mean‖² is a moving average over batches (set by the first; before it all stages are used).
    The stat `depth` is the mean number of stages.

    Args:
        residual: the stages, without dropout, which would also choose depths.
        target_distortion: relative squared error, more than 0.
        decay: of the moving average per batch, 0–1.

    Raises:
        BadValue: for a value out of range, or a residual with dropout.
    """

    def __init__(self, residual: Residual, target_distortion: float, *, decay: float) -> None:
        super().__init__()
        check_range("target_distortion", target_distortion, 0, open_low=True)
        check_range("decay", decay, 0, 1)
        if residual.dropout:
            raise BadValue(f"dropout is {residual.dropout:g}; with adaptive_distortion it must be 0")
        self.dim, self.residual, self.target_distortion, self.decay = (
            residual.dim,
            residual,
            target_distortion,
            decay,
        )
        self.skip_code = residual.codebook_sizes[0]
        self.register_buffer("variance", torch.zeros(()))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))
        self.variance: Tensor
        self.started: Tensor

    def forward(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        variance = self._update_variance(rows[counts].detach(), distributed)
        parts = self.residual.parts(z, mask=mask, generator=generator, distributed=distributed)
        kept = self._stages_needed(rows.detach().reshape(z.shape), parts, self.target_distortion * variance)
        drops = [(kept <= q)[..., None] for q in range(len(parts))]
        codes = torch.cat([p.codes.masked_fill(drop, self.skip_code) for p, drop in zip(parts, drops)], -1)
        q = total([p.z_q.detach().masked_fill(drop, 0) for p, drop in zip(parts, drops)])
        used = stats.averaged(
            [
                stats.use(column, self.skip_code + 1, distributed=distributed)
                for column in codes.reshape(-1, self.depth)[counts].T
            ]
        )
        distortion = stats.distortion(
            rows[counts].detach(), q.reshape(-1, self.dim)[counts], distributed=distributed
        )
        n = max(1, distributed.count(len(rows[counts])))
        depth = distributed.sum(kept.reshape(-1)[counts].sum()) / n
        measured = {**used, "distortion": distortion, "depth": depth}
        return Quantized(self.residual.pass_gradient(z, q), codes, total([p.loss for p in parts]), measured)

    def decode(self, codes: Tensor) -> Tensor:
        terms = list[Tensor]()
        for stage, part in self.residual.split(codes):
            drop = part == self.skip_code
            decoded = stage.decode(part.masked_fill(drop, 0))
            terms.append(decoded.masked_fill(drop.any(-1, keepdim=True), 0))
        return total(terms)

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return tuple(size + 1 for size in self.residual.codebook_sizes)

    @property
    def vectors(self) -> Tensor:
        return F.pad(self.residual.vectors, (0, 0, 0, 1))

    @torch.no_grad()
    def _update_variance(self, z: Tensor, distributed: Distributed) -> Tensor:
        """Update the moving average of E‖z − mean‖² with z (N, dim); returns its previous value."""
        if self.training and not self.started and is_learnable(z, distributed):
            self.variance.copy_(_variance(z, distributed))
            self.started.fill_(True)
        before = self.variance.clone()
        if self.training and (batch := learnable(distributed, z)):
            self.variance.lerp_(_variance(batch.rows[0], batch.ranks), 1 - self.decay)
        return before

    def _stages_needed(self, z: Tensor, parts: list[Quantized], max_error: Tensor) -> Tensor:
        """int64 (...): the stages needed for a squared error of z (..., dim) of at most `max_error`."""
        needed = torch.full(z.shape[:-1], len(parts), device=z.device)
        for n in range(len(parts) - 1, 0, -1):
            partial = total([part.z_q.detach() for part in parts[:n]])
            needed = torch.where((z - partial).square().sum(-1) <= max_error, n, needed)
        return needed


def _variance(z: Tensor, distributed: Distributed) -> Tensor:
    """E‖z − mean‖² of the rows z (N, D) of all ranks."""
    return squared_deviation(z, distributed) / distributed.count(len(z))
