"""The next code to unmask at every position: residual depths are unmasked coarse to fine.

Shapes: B batch, L positions, Q depths, K codes.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.types import MASK, Field


@dataclass(frozen=True)
class Frontier:
    """The coarsest masked code of every position."""

    masked: Tensor
    """int64 (B, L): the number of masked codes of the position; 0 at padding."""
    depth: Tensor
    """int64 (B, L): the depth of the coarsest masked code (the last depth where none is masked)."""

    @classmethod
    def of(cls, field: Field) -> "Frontier":
        """The frontier of a field whose masks are nested: all depths after a masked depth are masked."""
        masked = (field.state == MASK).sum(-1)
        depths = field.state.shape[-1]
        return cls(masked * field.valid, (depths - masked).clamp_max(depths - 1))

    @property
    def open(self) -> Tensor:
        """bool (B, L): whether the position has a masked code."""
        return self.masked > 0

    @property
    def coarsest(self) -> Tensor:
        """bool (B, L): whether no position of the sample has a coarser code that is masked."""
        return self.open & (self.masked == self.masked.amax(1, keepdim=True))

    def pick(self, values: Tensor) -> Tensor:
        """(B, L, Q, …) → (B, L, …): the values at each position's `depth`."""
        index = self.depth.reshape(*self.depth.shape, *[1] * (values.ndim - 2))
        return values.gather(2, index.expand(-1, -1, 1, *values.shape[3:])).squeeze(2)

    def nats(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Cross-entropy (B, L) of the next codes in nats, at least float32; 0 where no code is masked.

        `logits` (B, L, Q, K) may be −∞ where a depth has fewer codes; `codes` (B, L, Q) are clean.
        """
        picked = self.pick(logits)
        picked = picked.to(torch.promote_types(picked.dtype, torch.float32))
        target = self.pick(codes).masked_fill(~self.open, MASK)
        return F.cross_entropy(
            picked.flatten(0, 1), target.flatten(), ignore_index=MASK, reduction="none"
        ).view(target.shape)

    def write(self, field: Field, codes: Tensor, where: Tensor) -> Field:
        """Write `codes` (B, L) as the next codes of the open positions in `where`, bool (B, L)."""
        index = self.depth[..., None]
        old = field.state.gather(2, index)
        new = torch.where((where & self.open)[..., None], codes[..., None], old)
        return replace(field, state=field.state.scatter(2, index, new))
