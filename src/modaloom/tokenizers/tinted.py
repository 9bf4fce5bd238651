"""Two views of a signal, side by side: its outline position by position, and its tint as a whole.

Shapes: B batch, C channels, D width of a vector.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from modaloom.networks.conv import memory_format

LEAST = 1e-6
"""Mass of a side below which there is none: a flat signal has no outline."""


class Tinted(nn.Module):
    """(B, C, *axes) → (B, D, *grid): channels from the outline, then the signal's tint, told everywhere.

    The first ones cannot tell of the tint, whatever is learned, and the tint cannot tell where anything is.
    So a model over their codes learns once what a shape looks like, instead of once for every colour that it
    comes in.
    """

    def __init__(
        self, outline: Callable[[Tensor], Tensor], shape: nn.Module, channels: int, tint: int
    ) -> None:
        """`shape` (B, 1, *axes) → (B, ·, *grid); `tint`, the channels for that."""
        super().__init__()
        self.outline, self.shape, self.tint = outline, shape, nn.Linear(2 * channels, tint)

    def forward(self, signal: Tensor) -> Tensor:
        outline = self.outline(signal)
        shape: Tensor = self.shape(memory_format(outline))
        tint: Tensor = self.tint(ends(signal, outline))
        everywhere = tint.reshape(*tint.shape, *[1] * (shape.ndim - 2)).expand(-1, -1, *shape.shape[2:])
        return torch.cat([shape, everywhere], 1)


def ends(signal: Tensor, outline: Tensor) -> Tensor:
    """(B, C, *axes), (B, 1, *axes) → float32 (B, 2·C): the signal's means where the outline is positive, and
    where it is negative, each place weighted by how far it lies to that side.

    Of a shape of one colour on another they are the two colours, wherever and however large the shape is.
    """
    sides = torch.cat([outline, -outline], 1).float().clamp_min(0).flatten(2)
    flat, mass = signal.float().flatten(2), sides.sum(2, keepdim=True)
    mean = torch.where(mass > LEAST, sides @ flat.mT / mass.clamp_min(LEAST), flat.mean(2)[:, None])
    return mean.flatten(1)
