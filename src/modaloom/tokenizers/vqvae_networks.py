"""The networks of a VQ-VAE: encoder, quantizer, decoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from modaloom.modalities.signal_codec import SignalCodec
from modaloom.networks.autoencoder import decoder, encoder, stage_factors
from modaloom.quantizers import Grouped, Quantizer, assemble
from modaloom.tokenizers.global_codes import global_codes_encoder
from modaloom.tokenizers.vqvae_config import VQVAEConfig


@dataclass(frozen=True)
class Networks:
    """What a VQ-VAE is made of."""

    encoder: nn.Module
    """(B, C, *axes) → (B, D, *grid)."""
    quantizer: Quantizer
    decoder: nn.Module
    """The inverse of the encoder."""
    shared: int = 0
    """How many of the last depths hold one code for all positions."""


def build_networks(
    codec: SignalCodec, channels: int, strides: Sequence[int], config: VQVAEConfig
) -> Networks:
    """Convolutional networks with random weights; for global codes, of the outline and the tint."""
    factors = stage_factors(strides)
    widths = [*config.widths, *[config.widths[-1]] * len(factors)][: len(factors)]
    network: Any = {"factors": factors, "blocks": config.num_res_blocks, "causal": config.causal}
    if config.global_codes and codec.has_outline:
        down, parts = global_codes_encoder(codec.outline, channels, widths, config, factors)
        up = decoder(channels, widths, config.latent_dim, **network)
        return Networks(down, Grouped(parts), up, parts[-1].depth)
    return Networks(
        encoder(channels, widths, config.latent_dim, **network),
        assemble(config.quantizer, config.latent_dim, config.codebook_size, config.num_quantizers, config),
        decoder(channels, widths, config.latent_dim, **network),
    )
