"""The noise level as a network sees it. Shapes: B batch, D width."""

import math

import torch
from torch import Tensor, nn

WAVES = 8


class Level(nn.Module):
    """t in [0, 1] → a vector of the tokens' width, zero at initialisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out = nn.Linear(2 * WAVES, width, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, t_B: Tensor) -> Tensor:
        """(B,) → (B, D)."""
        y: Tensor = self.out(waves(t_B, WAVES))
        return y


def waves(t_B: Tensor, count: int) -> Tensor:
    """t (B,) → (B, 2 · count): sines and cosines of πt/2, 2πt/2, …

    The slowest ones make a quarter of a turn, so that no two times are alike.
    """
    angles = t_B[:, None] * torch.arange(1, count + 1, device=t_B.device) * (math.pi / 2)
    return torch.cat([angles.sin(), angles.cos()], 1)
