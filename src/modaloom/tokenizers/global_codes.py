"""Encoder with local and global channels: a signal's outline per position, and its tint as a whole.

Shapes: B batch, C channels, D width of a vector.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from modaloom.networks.autoencoder import Factors, encoder
from modaloom.networks.conv import to_channels_last
from modaloom.quantizers import Quantizer, assemble
from modaloom.tokenizers.vqvae_config import VQVAEConfig

MIN_MASS = 1e-6
"""Mass of an outline side below which it counts as empty, as in a constant signal."""


class GlobalCodesEncoder(nn.Module):
    """(B, C, *axes) → (B, D, *grid): local channels from the outline, then global channels of the tint.

    The global channels are equal at all positions. Local channels have no information about the tint, and
    global channels none about positions, so that a model over their codes learns a shape once instead of once
    per colour.
    """

    def __init__(
        self, outline: Callable[[Tensor], Tensor], local_encoder: nn.Module, channels: int, global_dim: int
    ) -> None:
        """Create the encoder.

        Args:
            outline: signal (B, C, *axes) → outline (B, 1, *axes).
            local_encoder: outline (B, 1, *axes) → (B, ·, *grid).
            channels: C, channels of the signal.
            global_dim: number of global channels.
        """
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
    """Means of the signal over the positive and the negative side of the outline, weighted by its magnitude.

    (B, C, *axes), (B, 1, *axes) → float32 (B, 2·C). For a shape of one colour on a background of another,
    these are the two colours, independent of the shape's position and size.
    """
    sides = torch.cat([outline, -outline], 1).float().clamp_min(0).flatten(2)
    flat, mass = signal.float().flatten(2), sides.sum(2, keepdim=True)
    mean = torch.where(mass > MIN_MASS, sides @ flat.mT / mass.clamp_min(MIN_MASS), flat.mean(2)[:, None])
    return mean.flatten(1)


def global_codes_encoder(
    outline: Callable[[Tensor], Tensor],
    channels: int,
    widths: Sequence[int],
    config: VQVAEConfig,
    factors: Factors,
) -> tuple[GlobalCodesEncoder, list[Quantizer]]:
    """Encoder and quantizers with half of the latent channels for the outline, half for the tint."""
    global_dim = config.latent_dim // 2
    shape = config.latent_dim - global_dim
    local_encoder = encoder(1, widths, shape, factors=factors, blocks=config.num_res_blocks)
    parts = [
        assemble(config.quantizer, dim, config.codebook_size, depth, config)
        for dim, depth in (
            (shape, config.num_quantizers - config.global_codes),
            (global_dim, config.global_codes),
        )
    ]
    return GlobalCodesEncoder(outline, local_encoder, channels, global_dim), parts
