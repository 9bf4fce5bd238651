"""Encoder, quantizer and decoder of vectors.

Shapes: B batch, C columns, D latent width, Q residual depth.
"""

import torch
from torch import Tensor, nn

from modaloom.networks.mlp import ResidualMLP
from modaloom.quantizers import Quantizer

HIDDEN_PER_LATENT = 4
"""Hidden units per latent dimension."""


class Autoencoder(nn.Module):
    """x → z = encoder(x) → codes → q → decoder(q), in float64 except for the quantizer's float32."""

    def __init__(self, columns: int, quantizer: Quantizer) -> None:
        super().__init__()
        width = HIDDEN_PER_LATENT * quantizer.dim
        self.encoder = ResidualMLP(columns, quantizer.dim, width=width).double()
        self.decoder = ResidualMLP(quantizer.dim, columns, width=width).double()
        self.quantizer = quantizer

    @torch.no_grad()
    def initialize(self, x_BC: Tensor, *, generator: torch.Generator) -> None:
        """Initialise with principal components (the optimal linear map) and their k-means centroids.

        The first epoch then already reconstructs as well as k-means.
        """
        axes_DC = principal_axes(x_BC, self.quantizer.dim)
        self.encoder.linear.weight.copy_(axes_DC)
        self.decoder.linear.weight.copy_(axes_DC.T)
        self.quantizer(self.encoder(x_BC).float(), generator=generator)

    def loss(self, x_BC: Tensor, weight: float, *, generator: torch.Generator) -> Tensor:
        """‖x − x′‖² per value + λ · the quantizer's loss, with λ = `weight`."""
        quantized = self.quantizer(self.encoder(x_BC).float(), generator=generator)
        reconstruction = self.decoder(quantized.z_q.to(x_BC))
        total: Tensor = (x_BC - reconstruction).square().mean() + weight * quantized.loss
        return total

    @torch.no_grad()
    def encode(self, x_BC: Tensor) -> Tensor:
        """int64 (B, Q)."""
        codes: Tensor = self.quantizer(self.encoder(x_BC).float()).codes
        return codes

    @torch.no_grad()
    def decode(self, codes_BQ: Tensor) -> Tensor:
        """float64 (B, C)."""
        x: Tensor = self.decoder(self.quantizer.decode(codes_BQ).double())
        return x


def principal_axes(x_BC: Tensor, count: int) -> Tensor:
    """(count, C): the principal axes of centred rows, orthonormal; zero rows beyond the Cth."""
    _, axes = torch.linalg.eigh(x_BC.T @ x_BC)
    largest = axes.T.flip(0)[:count]
    return torch.nn.functional.pad(largest, (0, 0, 0, count - len(largest)))
