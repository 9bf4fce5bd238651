"""A linear autoencoder of patches beside an encoder and a decoder, which starts as principal components.

Baldi & Hornik 1989 (doi 10.1016/0893-6080(89)90014-2): the best linear autoencoder projects onto the
principal components. The networks beside it learn what it lacks.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from modaloom.networks.conv import CONV, depth_to_space, space_to_depth

MAX_PATCH = 4096
"""Numbers in a patch, above which there is no linear path."""
MAX_PATCHES = 2**17
"""Patches that the components are of."""


class LinearPath(nn.Module):
    """Patch → latent vector → patch. All weights are 0 until `fit`.

    Args:
        channels: channels of the signal.
        dim: channels of the latent.
        factors: length of a patch along each axis.
    """

    def __init__(self, channels: int, dim: int, factors: Sequence[int]) -> None:
        super().__init__()
        self.factors, patch, conv = tuple(factors), channels * math.prod(factors), CONV[len(factors)]
        self.into, self.out = conv(patch, dim, 1), conv(dim, patch, 1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def encode(self, signal: Tensor) -> Tensor:
        """(B, channels, *axes), whole patches → (B, dim, *grid)."""
        z: Tensor = self.into(space_to_depth(signal, self.factors))
        return z

    def decode(self, z: Tensor) -> Tensor:
        """(B, dim, *grid) → (B, channels, *axes)."""
        return depth_to_space(self.out(z), self.factors)

    @torch.no_grad()
    def fit(self, signal: Tensor) -> None:
        """Become the principal components of the patches of a signal (B, channels, *axes).

        With as many components as the latent has channels, or as a patch has numbers; the mean square over
        all components is 1.
        """
        patches = space_to_depth(signal, self.factors).movedim(1, -1).flatten(0, -2)
        x = patches[:: max(1, len(patches) // MAX_PATCHES)].double()
        mean = x.mean(0)
        _, vectors = torch.linalg.eigh((x - mean).T @ (x - mean))
        basis = vectors.flip(1)[:, : self.into.out_channels]
        scale = ((x - mean) @ basis).square().mean().sqrt().clamp_min(1e-6)
        rows, ones = slice(0, basis.shape[1]), (1,) * len(self.factors)
        zeros = torch.zeros(self.into.out_channels, dtype=x.dtype)
        zeros[rows] = -(mean @ basis / scale)
        state = {
            "into.weight": self.into.weight.new_zeros(self.into.weight.shape),
            "into.bias": zeros,
            "out.weight": self.out.weight.new_zeros(self.out.weight.shape),
            "out.bias": mean,
        }
        state["into.weight"][rows] = (basis.T / scale).reshape(*basis.T.shape, *ones).to(self.into.weight)
        state["out.weight"][:, rows] = (basis * scale).reshape(*basis.shape, *ones).to(self.out.weight)
        self.load_state_dict(state)
