"""Vector quantization: each vector becomes the nearest vector of one codebook.

van den Oord et al. 2017 (arXiv 1711.00937).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from modaloom.core.errors import check_range, choose
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, is_finite, straight_through
from modaloom.quantizers.codebook import CODEBOOKS
from modaloom.quantizers.error import squared_error
from modaloom.quantizers.nearest import nearest


class VQ(Quantizer):
    """loss = β‖z − sg[e]‖² + the codebook's own term (‖sg[z] − e‖² for "gradient", nothing for "ema").

    Both are means over all values of the counted vectors: with N = vectors × dim, the gradient into the
    encoder is 2β(z − e)/N and into the codebook 2(e − z)/N.

    codebook: "ema" or "gradient"; commitment: β; decay, dead, revived: see `Codebook`.
    Raises `BadValue` for a value out of its range.
    """

    def __init__(
        self,
        dim: int,
        size: int,
        *,
        codebook: str = "ema",
        commitment: float = 1.0,
        decay: float = 0.99,
        dead: float = 0.1,
        revived: float = 0.05,
    ) -> None:
        super().__init__()
        check_range("dim", dim, 1)
        check_range("size", size, 1)
        check_range("commitment", commitment, 0)
        for name, share in {"decay": decay, "dead": dead, "revived": revived}.items():
            check_range(name, share, 0, 1)
        self.dim, self.commitment = dim, commitment
        kind = CODEBOOKS[choose("codebook", codebook, CODEBOOKS)]
        self.codebook = kind(dim, size, decay=decay, dead=dead, revived=revived)

    def forward(
        self, z: Tensor, *, mask: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Quantized:
        rows = z.reshape(-1, self.dim).to(self.codebook.vectors.dtype)
        counts = slice(None) if mask is None else mask.reshape(-1)
        counted = rows[counts]
        seen = counted.detach()
        learns = self.training and len(seen) > 0 and is_finite(seen)
        if learns and not self.codebook.started:
            self.codebook.start(seen, generator)
        codes = nearest(rows.detach(), self.codebook.vectors)
        e = F.embedding(codes, self.codebook.vectors)
        loss = self._loss(counted, e[counts])
        if learns:
            self.codebook.update(seen, codes[counts], generator)
        measured = {
            **stats.use(codes[counts], len(self.codebook.count)),
            "distortion": stats.distortion(seen, e[counts]),
        }
        z_q = straight_through(rows, e).reshape(z.shape)
        return Quantized(z_q, codes.reshape(*z.shape[:-1], 1), loss, measured)

    def decode(self, codes: Tensor) -> Tensor:
        return F.embedding(codes.squeeze(-1), self.codebook.vectors.detach())

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return (len(self.codebook.count),)

    @property
    def vectors(self) -> Tensor:
        return self.codebook.vectors.detach()[None]

    def _loss(self, z: Tensor, e: Tensor) -> Tensor:
        commitment = squared_error(z, e.detach()) / max(1, z.numel())
        return self.commitment * commitment + self.codebook.loss(z.detach(), e)
