"""Lookup-free quantization: one bit per channel, its sign.

MAGVIT-2, Yu et al. 2023 (arXiv 2310.05737); on the unit sphere BSQ, Zhao et al. 2024 (arXiv 2406.07548).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.types import Quantized
from modaloom.quantizers import stats
from modaloom.quantizers.base import Quantizer, rows_of, straight_through
from modaloom.quantizers.error import squared_error
from modaloom.quantizers.normalized import Normalized
from modaloom.quantizers.options import Options
from modaloom.quantizers.projected import Projected


class LFQ(Quantizer):
    """q_i = side · sign(z_i), minus where z_i ≤ 0; bit i of the code is 1 where it is plus.

    loss = β‖z − q‖², the mean over values, + entropy · (E[Σ_i H(p_i)] − Σ_i H(E[p_i])) in nats, where
    p_i = σ(4 · side · z_i / temperature) is the probability of a plus under the soft code ∝ exp(−‖z − c‖²/
    temperature) over all 2^d codes c. That code's bits are independent, so the first term is the mean of its
    entropy. The second, to be large, is not the entropy of the mean code but an upper bound of it, equal
    where the bits are independent over the data; the exact one would need all 2^d codes.

    size: 2^d, at least 2; commitment: β. Raises `BadValue` for another size.
    """

    def __init__(
        self, size: int, *, commitment: float, entropy: float, temperature: float, side: float = 1.0
    ) -> None:
        super().__init__()
        self.dim = bits_of(size)
        self.commitment, self.entropy, self.temperature, self.side = commitment, entropy, temperature, side
        self.register_buffer("places", 2 ** torch.arange(self.dim), persistent=False)
        bits = torch.arange(size)[:, None] & 2 ** torch.arange(self.dim)
        self.register_buffer("table", torch.where(bits > 0, side, -side), persistent=False)
        self.places: Tensor
        self.table: Tensor

    def forward(
        self, z: Tensor, *, mask: Tensor | None = None, generator: torch.Generator | None = None
    ) -> Quantized:
        rows, counts = rows_of(z, mask, self.dim)
        codes = ((rows > 0) * self.places).sum(1)
        q = F.embedding(codes, self.table)
        counted = rows[counts]
        commitment = squared_error(counted, q[counts]) / max(1, counted.numel())
        loss = self.commitment * commitment + self.entropy * self.indecision(counted)
        measured = {
            **stats.use(codes[counts], len(self.table)),
            "distortion": stats.distortion(counted.detach(), q[counts]),
        }
        z_q = straight_through(rows, q).reshape(z.shape)
        return Quantized(z_q, codes.reshape(*z.shape[:-1], 1), loss, measured)

    def indecision(self, z: Tensor) -> Tensor:
        """z (N, d) → mean entropy of the soft codes, less the sum of the mean bits' entropies; 0 of none."""
        if not len(z):
            return z.sum()
        logit = 4 * self.side / self.temperature * z
        plus = logit.sigmoid()
        each = (F.softplus(logit) - plus * logit).sum() / len(z)
        return each - _entropy(plus.mean(0)).sum()

    def decode(self, codes: Tensor) -> Tensor:
        return F.embedding(codes.squeeze(-1), self.table)

    @property
    def codebook_sizes(self) -> tuple[int, ...]:
        return (len(self.table),)

    @property
    def vectors(self) -> Tensor:
        return self.table[None]


def lfq(dim: int, size: int, options: Options) -> Quantizer:
    """An LFQ between linear maps. Raises `BadValue` if `size` is no power of two."""
    made = LFQ(size, commitment=options.commitment, entropy=options.entropy, temperature=options.temperature)
    return Projected(made, dim, commitment=options.commitment)


def bsq(dim: int, size: int, options: Options) -> Quantizer:
    """An LFQ whose codes are on the unit sphere, of directions. Raises `BadValue` as `lfq`."""
    made = LFQ(
        size,
        commitment=options.commitment,
        entropy=options.entropy,
        temperature=options.temperature,
        side=bits_of(size) ** -0.5,
    )
    return Projected(Normalized(made, decay=options.decay), dim, commitment=options.commitment)


def bits_of(size: int) -> int:
    """log₂ size. Raises `BadValue` with the powers of two on either side if it is none, or less than 2."""
    if size < 2 or size & (size - 1):
        below = 2 ** max(1, int(math.log2(max(2, size))))
        raise BadValue(f"size is {size}; it must be a power of two, such as {below} or {2 * below}")
    return size.bit_length() - 1


def _entropy(p: Tensor) -> Tensor:
    """Of a bit that is 1 with probability p, in nats; its slope is kept finite at 0 and 1."""
    eps = torch.finfo(p.dtype).eps
    p = p.clamp(eps, 1 - eps)
    return -p * p.log() - (1 - p) * torch.log1p(-p)
