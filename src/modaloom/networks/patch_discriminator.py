"""A discriminator that scores every patch of a signal (Isola et al. 2016, arXiv 1611.07004, §3.2.2).

Shapes: B batch, C channels, then 1, 2 or 3 axes.
"""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from modaloom.networks.conv import CONV, ChannelNorm

SLOPE = 0.2
"""Of the leaky rectifiers, below 0."""


class PatchDiscriminator(nn.Module):
    """Signal → activations of every layer, the last of which are scores: positive for real patches.

    Layers have no batch statistics, so that a score depends on its sample alone.

    Args:
        channels: C of the signal.
        width: channels of the first layer; they double in each further one.
        num_layers: strided layers; each halves every axis.
        axes: 1, 2 or 3.
    """

    def __init__(self, channels: int, width: int, num_layers: int, *, axes: int) -> None:
        super().__init__()
        conv, widths = CONV[axes], [width << i for i in range(num_layers)]
        self.first = conv(channels, width, 3, stride=2, padding=1)
        self.hidden = nn.ModuleList(
            nn.Sequential(conv(before, after, 3, stride=2, padding=1), ChannelNorm(after))
            for before, after in pairwise(widths)
        )
        self.score = conv(widths[-1], 1, 3, padding=1)

    def forward(self, signal: Tensor) -> list[Tensor]:
        """float (B, C, *axes) → float (B, ·, *axes / 2), …, and float32 scores (B, 1, *axes / 2^layers)."""
        activations: list[Tensor] = [F.leaky_relu(self.first(signal), SLOPE)]
        for layer in self.hidden:
            activations.append(F.leaky_relu(layer(activations[-1]), SLOPE))
        return [*activations, self.score(activations[-1]).float()]
