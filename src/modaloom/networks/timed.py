"""A network that is told the time."""

import math

import torch
from torch import Tensor, nn

WAVES = 4
"""Frequencies of the time."""
CHANNELS = 2 * WAVES
"""Channels that the time adds."""


class Timed(nn.Module):
    """State (B, C, *axes) and t (B,) in [0, 1] → `network` of (B, C + CHANNELS, *axes)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, state: Tensor, t: Tensor) -> Tensor:
        told = waves(t).to(state).reshape(len(t), CHANNELS, *[1] * (state.ndim - 2))
        y: Tensor = self.network(torch.cat([state, told.expand(-1, -1, *state.shape[2:])], 1))
        return y


def waves(t: Tensor) -> Tensor:
    """t (B,) → (B, CHANNELS): sines and cosines of πt/2, 2πt/2, …

    The slowest ones make a quarter of a turn, so that no two times are alike.
    """
    angles = t[:, None] * torch.arange(1, WAVES + 1, device=t.device) * (math.pi / 2)
    return torch.cat([angles.sin(), angles.cos()], 1)
