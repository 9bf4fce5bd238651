"""The noise level as a network sees it."""

import math

import torch
from torch import Tensor, nn

WAVES = 16


class Level(nn.Module):
    """t in [0, 1] → a vector of the tokens' width, zero at initialisation. Shapes: B batch, D width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out = nn.Linear(WAVES, width, bias=False)
        self.waves: Tensor
        self.register_buffer("waves", math.pi * torch.arange(1, WAVES + 1), persistent=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, t_B: Tensor) -> Tensor:
        """(B,) → (B, D): half waves, of which any smooth function of t is a short sum."""
        y: Tensor = self.out(torch.cos(t_B[:, None] * self.waves))
        return y
