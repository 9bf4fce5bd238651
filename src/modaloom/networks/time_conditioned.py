"""Time conditioning by additional input channels."""

import torch
from torch import Tensor, nn

from modaloom.networks.timestep_embedding import sinusoidal_embedding

CHANNEL_FREQUENCIES = 4
"""Frequencies of the sinusoidal embedding of t."""
TIME_CHANNELS = 2 * CHANNEL_FREQUENCIES
"""Input channels added for t."""


class TimeConditioned(nn.Module):
    """State (B, C, *axes) and t (B,) in [0, 1] → `network` of (B, C + TIME_CHANNELS, *axes)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, state: Tensor, t: Tensor) -> Tensor:
        emb = (
            sinusoidal_embedding(t, CHANNEL_FREQUENCIES)
            .to(state)
            .reshape(len(t), TIME_CHANNELS, *[1] * (state.ndim - 2))
        )
        y: Tensor = self.network(torch.cat([state, emb.expand(-1, -1, *state.shape[2:])], 1))
        return y
