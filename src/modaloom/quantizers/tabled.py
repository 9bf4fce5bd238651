"""Base class of quantizers with fixed code vectors."""

from abc import abstractmethod
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, rows_of, straight_through


class FixedCodebookQuantizer(Quantizer):
    """Each channel gives one digit of a mixed-radix code, which decodes to its row of `table` (K, D).

    The digit of channel i has the weight `places[i]`; the first channel's is 1.
    """

    table: Tensor
    places: Tensor

    def __init__(self, table: Tensor, places: Tensor) -> None:
        super().__init__()
        self.dim = table.shape[1]
        self.register_buffer("table", table, persistent=False)
        self.register_buffer("places", places, persistent=False)

    @abstractmethod
    def digits(self, rows: Tensor) -> Tensor:
        """Rows (N, D) → int64 (N, D); arbitrary digits for values that are not finite."""

    @abstractmethod
    def surrogate(self, rows: Tensor) -> Tensor:
        """Rows (N, D) → (N, D): the differentiable function whose gradient replaces that of the rounding."""

    @abstractmethod
    def loss(self, rows: Tensor, q: Tensor, distributed: Distributed) -> Tensor:
        """Scalar loss of unmasked rows (N, D) and their code vectors; not finite if a row is not."""

    def forward(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        codes = (self.digits(rows.detach()) * self.places).sum(1)
        q = F.embedding(codes, self.table)
        measured = {
            **stats.use(codes[counts], len(self.table), distributed=distributed),
            "distortion": stats.distortion(rows[counts].detach(), q[counts], distributed=distributed),
        }
        z_q = straight_through(self.surrogate(rows), q).reshape(z.shape)
        loss = self.loss(rows[counts], q[counts], distributed)
        return Quantized(z_q, codes.reshape(*z.shape[:-1], 1), loss, measured)

    @final
    def decode(self, codes: Tensor) -> Tensor:
        return F.embedding(codes.squeeze(-1), self.table)

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return (len(self.table),)

    @property
    def vectors(self) -> Tensor:
        return self.table[None]
