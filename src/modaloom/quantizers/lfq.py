"""Lookup-free quantization (LFQ): one bit per channel, its sign.

MAGVIT-2, Yu et al. 2023 (arXiv 2310.05737); on the unit sphere BSQ, Zhao et al. 2024 (arXiv 2406.07548).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from modaloom.core.distributed import Distributed
from modaloom.core.errors import BadValue
from modaloom.quantizers.base import Quantizer
from modaloom.quantizers.error import mean_squared_error
from modaloom.quantizers.normalized import Normalized
from modaloom.quantizers.options import QuantizerConfig
from modaloom.quantizers.projected import Projected
from modaloom.quantizers.tabled import FixedCodebookQuantizer


class LFQ(FixedCodebookQuantizer):
    """q_i = side · sign(z_i), negative where z_i ≤ 0; bit i of the code is 1 where q_i is positive.

    loss = β‖z − q‖², the mean over values, + entropy · (E[Σ_i H(p_i)] − Σ_i H(E[p_i])) in nats, where
    p_i = σ(4 · side · z_i / temperature) is the probability of a positive sign under the soft assignment
    ∝ exp(−‖z − c‖²/temperature) over all 2^d codes c. Its bits are independent, so the first term is the mean
    of its entropy. The second is an upper bound of the entropy of the mean assignment, equal where the bits
    are independent over the data; the exact one would need all 2^d codes.

    Args:
        size: 2^d, at least 2.
        commitment: β, at least 0.
        entropy: weight of the entropy loss, at least 0.
        temperature: of the soft assignment, more than 0.
        side: absolute value of each channel of q.

    Raises:
        BadValue: for a size that is no power of two.
    """

    def __init__(
        self, size: int, *, commitment: float, entropy: float, temperature: float, side: float = 1.0
    ) -> None:
        bits = 2 ** torch.arange(bits_of(size))
        super().__init__(torch.where(torch.arange(size)[:, None] & bits > 0, side, -side), bits)
        self.commitment, self.entropy, self.temperature, self.side = commitment, entropy, temperature, side

    def digits(self, rows: Tensor) -> Tensor:
        return (rows > 0).long()

    def surrogate(self, rows: Tensor) -> Tensor:
        return rows

    def loss(self, rows: Tensor, q: Tensor, distributed: Distributed) -> Tensor:
        commitment = mean_squared_error(rows, q, distributed)
        return self.commitment * commitment + self.entropy * self.entropy_loss(rows, distributed)

    def entropy_loss(self, z: Tensor, distributed: Distributed) -> Tensor:
        """z (N, d) → mean entropy of the soft assignments − summed entropy of the mean bits; 0 if N = 0."""
        total = distributed.count(len(z))
        if not total:
            return z.sum()
        logit = 4 * self.side / self.temperature * z
        plus = logit.sigmoid()
        each = distributed.sum((F.softplus(logit) - plus * logit).sum()) / total
        return each - _entropy(distributed.mean(plus)).sum()


def lfq(dim: int, size: int, options: QuantizerConfig) -> Quantizer:
    """An LFQ between linear projections. Raises `BadValue` if `size` is no power of two."""
    made = LFQ(size, commitment=options.commitment, entropy=options.entropy, temperature=options.temperature)
    return Projected(made, dim, commitment=options.commitment)


def bsq(dim: int, size: int, options: QuantizerConfig) -> Quantizer:
    """Binary spherical quantization: an LFQ of normalised vectors, with unit codes. Raises as `lfq`."""
    made = LFQ(
        size,
        commitment=options.commitment,
        entropy=options.entropy,
        temperature=options.temperature,
        side=bits_of(size) ** -0.5,
    )
    return Projected(Normalized(made, decay=options.decay), dim, commitment=options.commitment)


def bits_of(size: int) -> int:
    """log₂ size. Raises `BadValue` if size is no power of two, or less than 2."""
    if size < 2 or size & (size - 1):
        below = 2 ** max(1, int(math.log2(max(2, size))))
        raise BadValue(f"size is {size}; it must be a power of two, such as {below} or {2 * below}")
    return size.bit_length() - 1


def _entropy(p: Tensor) -> Tensor:
    """Binary entropy in nats; p is clipped so that the gradient is finite at 0 and 1."""
    eps = torch.finfo(p.dtype).eps
    p = p.clamp(eps, 1 - eps)
    return -p * p.log() - (1 - p) * torch.log1p(-p)
