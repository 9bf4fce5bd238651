"""Vector quantization: each vector is replaced by its nearest codebook vector.

van den Oord et al. 2017 (arXiv 1711.00937).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import check_choice
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, is_learnable, learnable, rows_of
from modaloom.quantizers.codebook import Codebook
from modaloom.quantizers.codebooks import build_codebook
from modaloom.quantizers.error import mean_squared_error
from modaloom.quantizers.gradients import GRADIENT_ESTIMATORS
from modaloom.quantizers.nearest import nearest
from modaloom.quantizers.normalized import Normalized
from modaloom.quantizers.options import QuantizerConfig
from modaloom.quantizers.projected import Projected


class VQ(Quantizer):
    """loss = β‖z − sg[e]‖² + the codebook loss (‖sg[z] − e‖² for "gradient", 0 for "ema").

    Both are means over all values of the unmasked vectors: with N = vectors × dim, the gradient into the
    encoder is 2β(z − e)/N and into the codebook 2(e − z)/N.

    Args:
        codebook: the code vectors.
        commitment: β.
        gradient_estimator: a name of `GRADIENT_ESTIMATORS`.

    Raises:
        BadValue: for another name.
    """

    def __init__(
        self,
        codebook: Codebook,
        *,
        commitment: float = QuantizerConfig.commitment,
        gradient_estimator: str = QuantizerConfig.gradient_estimator,
    ) -> None:
        super().__init__()
        self.dim, self.commitment = codebook.vectors.shape[1], commitment
        self.pass_gradient = GRADIENT_ESTIMATORS[
            check_choice("gradient_estimator", gradient_estimator, GRADIENT_ESTIMATORS)
        ]
        self.codebook = codebook

    def forward(
        self,
        z: Tensor,
        *,
        mask: Tensor | None = None,
        generator: torch.Generator | None = None,
        distributed: Distributed = SINGLE_PROCESS,
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        counted = rows[counts]
        seen = counted.detach()
        if self.training and not self.codebook.started and is_learnable(seen, distributed):
            self.codebook.start(distributed.gather(seen), generator)
        vectors = self.codebook.vectors
        codes = nearest(rows.detach(), vectors.detach()[: self.codebook.used])
        e = F.embedding(codes, vectors)
        loss = self._loss(counted, e[counts], distributed)
        if self.training and (batch := learnable(distributed, seen, codes[counts])):
            self.codebook.update(batch.rows[0], batch.rows[1], generator, batch.ranks)
        measured = {
            **stats.use(codes[counts], len(self.codebook.count), distributed=distributed),
            "distortion": stats.distortion(seen, e[counts], distributed=distributed),
        }
        z_q = self.pass_gradient(rows, e).reshape(z.shape)
        return Quantized(z_q, codes.reshape(*z.shape[:-1], 1), loss, measured)

    def decode(self, codes: Tensor) -> Tensor:
        return F.embedding(codes.squeeze(-1), self.codebook.vectors.detach())

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return (len(self.codebook.count),)

    @property
    def vectors(self) -> Tensor:
        return self.codebook.vectors.detach()[None]

    def _loss(self, z: Tensor, e: Tensor, distributed: Distributed) -> Tensor:
        commitment = mean_squared_error(z, e.detach(), distributed)
        return self.commitment * commitment + self.codebook.loss(z.detach(), e, distributed)


def vq(dim: int, size: int, options: QuantizerConfig) -> Quantizer:
    """A VQ with the options' codebook, normalised or projected where the options say so."""
    codebook = build_codebook(options.codebook_dim or dim, size, options)
    quantizer: Quantizer = VQ(
        codebook, commitment=options.commitment, gradient_estimator=options.gradient_estimator
    )
    if options.normalize:
        quantizer = Normalized(quantizer, decay=options.decay)
    return Projected(quantizer, dim, commitment=options.commitment) if options.codebook_dim else quantizer
