"""Sinusoidal embedding of the time t. Shapes: B batch, D width."""

import math

import torch
from torch import Tensor, nn

NUM_FREQUENCIES = 8


class TimestepEmbedding(nn.Module):
    """t in [0, 1] → an embedding of the tokens' width, 0 at initialisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out = nn.Linear(2 * NUM_FREQUENCIES, width, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, t_B: Tensor) -> Tensor:
        """(B,) → (B, D)."""
        y: Tensor = self.out(sinusoidal_embedding(t_B, NUM_FREQUENCIES))
        return y


def sinusoidal_embedding(t_B: Tensor, num_frequencies: int) -> Tensor:
    """t (B,) → (B, 2 · num_frequencies): sines and cosines of πt/2, 2πt/2, …

    The lowest frequency covers a quarter of a period over [0, 1], so that the embedding is injective.
    """
    angles = t_B[:, None] * torch.arange(1, num_frequencies + 1, device=t_B.device) * (math.pi / 2)
    return torch.cat([angles.sin(), angles.cos()], 1)
