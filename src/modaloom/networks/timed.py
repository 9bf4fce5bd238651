"""A network that is told the time."""

import torch
from torch import Tensor, nn

from modaloom.networks.level import waves

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
        told = waves(t, WAVES).to(state).reshape(len(t), CHANNELS, *[1] * (state.ndim - 2))
        y: Tensor = self.network(torch.cat([state, told.expand(-1, -1, *state.shape[2:])], 1))
        return y
