"""Two views of a signal, side by side: its outline position by position, and its tint as a whole.

Shapes: B batch, C channels, D width of a vector.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from modaloom.networks.conv import to_channels_last

MIN_MASS = 1e-6
"""Mass of a side below which there is none: a flat signal has no outline."""


class GlobalCodesEncoder(nn.Module):
    """(B, C, *axes) → (B, D, *grid): channels from the outline, then the signal's tint, told everywhere.

    The first ones cannot tell of the tint, whatever is learned, and the tint cannot tell where anything is.
    So a model over their codes learns once what a shape looks like, instead of once for every colour that it
    comes in.
    """

    def __init__(
        self, outline: Callable[[Tensor], Tensor], local_encoder: nn.Module, channels: int, global_dim: int
    ) -> None:
        """`local_encoder` (B, 1, *axes) → (B, ·, *grid); `global_dim`, the channels for that."""
        super().__init__()
        self.outline, self.local_encoder, self.global_proj = (
            outline,
            local_encoder,
            nn.Linear(2 * channels, global_dim),
        )

    def forward(self, signal: Tensor) -> Tensor:
        outline = self.outline(signal)
        local: Tensor = self.local_encoder(to_channels_last(outline))
        pooled: Tensor = self.global_proj(outline_side_means(signal, outline))
        everywhere = pooled.reshape(*pooled.shape, *[1] * (local.ndim - 2)).expand(-1, -1, *local.shape[2:])
        return torch.cat([local, everywhere], 1)


def outline_side_means(signal: Tensor, outline: Tensor) -> Tensor:
    """(B, C, *axes), (B, 1, *axes) → float32 (B, 2·C): the signal's means where the outline is positive, and
    where it is negative, each place weighted by how far it lies to that side.

    Of a shape of one colour on another they are the two colours, wherever and however large the shape is.
    """
    sides = torch.cat([outline, -outline], 1).float().clamp_min(0).flatten(2)
    flat, mass = signal.float().flatten(2), sides.sum(2, keepdim=True)
    mean = torch.where(mass > MIN_MASS, sides @ flat.mT / mass.clamp_min(MIN_MASS), flat.mean(2)[:, None])
    return mean.flatten(1)
