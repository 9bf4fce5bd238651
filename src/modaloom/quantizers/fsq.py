"""Finite scalar quantization (FSQ): every channel of a narrow vector is rounded to a few levels.

Mentzer et al. 2023 (arXiv 2309.15505), without the paper's shift for even numbers of levels: levels are
evenly spaced from −1 to 1, as in Parker et al. 2024 (arXiv 2411.19842).
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from modaloom.core.distributed import Distributed
from modaloom.core.errors import BadValue
from modaloom.quantizers.base import Quantizer
from modaloom.quantizers.options import QuantizerConfig
from modaloom.quantizers.projected import Projected
from modaloom.quantizers.tabled import FixedCodebookQuantizer

MIN_LEVELS = 5
"""The paper's recommended minimum of levels per channel."""


class FSQ(FixedCodebookQuantizer):
    """Channel i is rounded to index round(u(L_i − 1)) with u = (tanh z + 1)/2.

    Index j decodes to 2j/(L_i − 1) − 1. A code is the mixed-radix number of the indices, first channel
    fastest. The gradient is straight-through for the rounding, exact for tanh. The loss is 0 (not finite if
    an unmasked value is not).

    `levels`: L_i ≥ 2 of each channel; raises `BadValue` for others, or none.
    """

    def __init__(self, levels: Sequence[int]) -> None:
        if not levels or min(levels) < 2:
            raise BadValue(f"levels are {tuple(levels)}; there must be at least one, each at least 2")
        steps = [torch.linspace(-1, 1, level) for level in levels]
        table = torch.cartesian_prod(*reversed(steps)).reshape(-1, len(levels)).flip(1)
        super().__init__(table, torch.tensor([1, *levels[:-1]]).cumprod(0))
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.levels: Tensor

    def digits(self, rows: Tensor) -> Tensor:
        return ((rows.tanh() + 1) / 2 * (self.levels - 1)).nan_to_num().round().long()

    def surrogate(self, rows: Tensor) -> Tensor:
        return rows.tanh()

    def loss(self, rows: Tensor, q: Tensor, distributed: Distributed) -> Tensor:
        return distributed.sum((rows * 0).sum())


def fsq(dim: int, size: int, options: QuantizerConfig) -> Quantizer:
    """An FSQ of `size` codes between linear projections.

    Raises `BadValue` if the product of the levels is not `size`.
    """
    levels = options.levels or levels_of(size)
    if math.prod(levels) != size:
        raise BadValue(f"levels are {levels}, a product of {math.prod(levels)}; it must equal size, {size}")
    return Projected(FSQ(levels), dim, commitment=options.commitment)


def levels_of(size: int) -> tuple[int, ...]:
    """Levels whose product is `size`, decreasing; each at least MIN_LEVELS if there are more than two.

    Prime factors are multiplied, the largest first, until they reach MIN_LEVELS. The remaining factors become
    the second level, or multiply the smallest levels. Raises `BadValue` for a size below 2.
    """
    if size < 2:
        raise BadValue(f"size is {size}; for fsq it must be at least 2")
    levels, factors = list[int](), _primes(size)
    while math.prod(factors) >= MIN_LEVELS:
        level = factors.pop()
        while level < MIN_LEVELS:
            level *= factors.pop()
        levels.append(level)
    if len(levels) < 2 and factors:
        levels, factors = [*levels, math.prod(factors)], []
    for factor in factors:
        levels[levels.index(min(levels))] *= factor
    return tuple(sorted(levels, reverse=True))


def _primes(n: int) -> list[int]:
    """The prime factors of n, increasing."""
    found, factor = list[int](), 2
    while factor * factor <= n:
        while n % factor == 0:
            found, n = [*found, factor], n // factor
        factor += 1
    return [*found, n] if n > 1 else found
