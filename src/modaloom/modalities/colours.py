"""Colour augmentation of images, and their colour-invariant outline."""

import math

import torch
from torch import Tensor

from modaloom.core.distributed import Rows

MIN_STD = 0.01
"""Minimum standard deviation in the outline's normalization; prevents amplifying noise of flat images."""

_ACROSS_GREY = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
"""[a]ₓ, the cross-product matrix of the grey axis's unit vector."""


def augment(signal: Tensor, generator: torch.Generator, rows: Rows) -> Tensor:
    """Rotates the colours of each image about the grey axis by a random angle; (B, C, H, W) in [-1, 1].

    The rotation by θ about the unit axis a is cos θ · I + (1 − cos θ) · aaᵀ + sin θ · [a]ₓ (Rodrigues'
    formula). Images without three channels are unchanged.
    """
    if signal.shape[1] != 3:
        return signal
    uniform_B11 = rows.own(torch.rand(rows.total, 1, 1, generator=generator))
    angle_B11 = (2 * math.pi * uniform_B11).to(signal)
    along, across = torch.full((3, 3), 1 / 3).to(signal), _ACROSS_GREY.to(signal)
    turn_B33 = angle_B11.cos() * (torch.eye(3).to(signal) - along) + along + angle_B11.sin() * across
    return torch.einsum("bij,bjhw->bihw", turn_B33, signal).clamp(-1, 1)


@torch.no_grad()
def outline(signal: Tensor) -> Tensor:
    """float32 (B, C, H, W) → (B, 1, H, W): each pixel's coordinate on the first principal component of the
    image's colours, standardised over the image and divided by 4.

    For an image of two colours it is invariant to affine colour maps that keep them distinct. The axis points
    to the longer tail, so that the smaller area is bright.
    """
    with torch.autocast(signal.device.type, enabled=False):
        off_BCN = (signal.float() - signal.float().mean((2, 3), keepdim=True)).flatten(2)
        axis_BC1 = torch.linalg.eigh(off_BCN @ off_BCN.mT)[1][..., -1:]
        place_B1N = axis_BC1.mT @ off_BCN
        place_B1N = place_B1N / place_B1N.square().mean(-1, keepdim=True).sqrt().clamp_min(MIN_STD)
        sign = torch.where((place_B1N**3).mean(-1, keepdim=True) < 0, -1, 1)
        found: Tensor = sign * place_B1N / 4
    return found.reshape(len(signal), 1, *signal.shape[2:])
