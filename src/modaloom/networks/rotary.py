"""Rotary position embedding (RoPE, Su et al. 2021, arXiv 2104.09864).

Shapes: B batch, H heads, L tokens, C channels of a head.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

BASE = 10_000
"""Ratio of the longest wavelength to the shortest, about."""


@dataclass(frozen=True)
class Rotary:
    """Rotations of queries and keys by angles in proportion to their positions (eq. 34).

    Channel pair j of C/2 turns by position · `BASE`^(−2j/C), so that the product of a query and a key depends
    on the difference of their positions only. Position 0 is the identity.
    """

    cos: Tensor
    """float32 (L, C/2)."""
    sin: Tensor
    """float32 (L, C/2)."""

    @classmethod
    def of(cls, positions: Tensor, channels: int) -> "Rotary":
        """The rotations at `positions` (L,) of heads with an even number of channels."""
        frequencies = BASE ** (-torch.arange(0, channels, 2, device=positions.device) / channels)
        angles_LC = positions[:, None] * frequencies
        return cls(angles_LC.cos(), angles_LC.sin())

    def __getitem__(self, tokens: Tensor) -> "Rotary":
        """The rotations of some of the tokens."""
        return Rotary(self.cos[tokens], self.sin[tokens])

    def __call__(self, x_BHLC: Tensor) -> Tensor:
        """Rotated queries or keys (B, H, L, C), of the same type."""
        a, b = x_BHLC.chunk(2, -1)
        rotated = torch.cat([a * self.cos - b * self.sin, a * self.sin + b * self.cos], -1)
        return rotated.to(x_BHLC)
