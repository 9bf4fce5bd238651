"""The convolutional VQ-VAE of van den Oord et al. 2017 (arXiv 1711.00937), §4.1, a library's codebook inside.

Shapes: B batch, L = (side / 4)² positions, C channels.
"""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from vector_quantize_pytorch import VectorQuantize

HIDDEN, NARROW, DIM = 128, 32, 64
"""Channels of the network, inside its residual blocks, and of a code."""
SIZE = 512
"""Codes."""
STRIDE = 4


class Residual(nn.Module):
    """x + 1 × 1 (3 × 3 x)."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(HIDDEN, NARROW, 3, padding=1)
        self.b = nn.Conv2d(NARROW, HIDDEN, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.b(F.relu(self.a(F.relu(x))))


class Autoencoder(nn.Module):
    """Pictures (B, 3, side, side) in −1..1 → codes (B, L) → pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, HIDDEN // 2, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(HIDDEN // 2, HIDDEN, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1),
            Residual(),
            Residual(),
            nn.ReLU(),
            nn.Conv2d(HIDDEN, DIM, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(DIM, HIDDEN, 3, padding=1),
            Residual(),
            Residual(),
            nn.ReLU(),
            nn.ConvTranspose2d(HIDDEN, HIDDEN // 2, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(HIDDEN // 2, 3, 4, 2, 1),
        )
        self.quantizer = VectorQuantize(
            DIM,
            SIZE,
            decay=0.99,
            commitment_weight=0.25,
            kmeans_init=True,
            threshold_ema_dead_code=2,
            accept_image_fmap=True,
        )

    def loss(self, x: Tensor) -> Tensor:
        """Squared error per value, plus the library's commitment."""
        z = self.encoder(x)
        with torch.autocast("cpu", enabled=False):
            quantized, _, commitment = self.quantizer(z.float())
        return F.mse_loss(self.decoder(quantized).float(), x) + commitment.sum()

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """int64 (B, L)."""
        return torch.cat([self.quantizer(self.encoder(part))[1].flatten(1) for part in x.split(256)])

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """(B, L) → (B, 3, side, side)."""
        side = round(codes.shape[1] ** 0.5)
        z = self.quantizer.get_output_from_indices(codes.reshape(len(codes), side, side))
        return torch.cat([self.decoder(part) for part in z.split(256)])


def pixels(pictures: list[Image.Image]) -> Tensor:
    """uint8 (B, 3, side, side)."""
    return torch.from_numpy(np.stack([np.asarray(p.convert("RGB")) for p in pictures])).movedim(-1, 1)


def scaled(bytes_: Tensor) -> Tensor:
    """0..255 → −1..1."""
    return bytes_.float() / 127.5 - 1


def pictures(x: Tensor) -> list[Image.Image]:
    """(B, 3, side, side) in −1..1 → pictures."""
    bytes_ = ((x + 1) * 127.5).round().clamp(0, 255).byte().movedim(1, -1).contiguous()
    return [Image.fromarray(one) for one in bytes_.numpy()]
