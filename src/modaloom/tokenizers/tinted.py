"""Two views of a signal, side by side: its outline position by position, and its tint as a whole."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from modaloom.networks.conv import memory_format


class Tinted(nn.Module):
    """(B, C, *axes) → (B, D, *grid): channels from the outline, then the signal's mean, told everywhere.

    The first ones cannot tell of the tint, whatever is learned, and the tint cannot tell where anything is.
    So a model over their codes learns once what a shape looks like, instead of once for every colour that it
    comes in.
    """

    def __init__(self, outline: Callable[[Tensor], Tensor], shape: nn.Module, tint: nn.Module) -> None:
        super().__init__()
        self.outline, self.shape, self.tint = outline, shape, tint

    def forward(self, signal: Tensor) -> Tensor:
        shape: Tensor = self.shape(memory_format(self.outline(signal)))
        tint: Tensor = self.tint(signal).flatten(2).mean(2)
        everywhere = tint.reshape(*tint.shape, *[1] * (shape.ndim - 2)).expand(-1, -1, *shape.shape[2:])
        return torch.cat([shape, everywhere], 1)
