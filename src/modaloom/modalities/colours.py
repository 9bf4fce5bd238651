"""What a batch of pictures is apart from its colours, and the same pictures in others."""

import math

import torch
from torch import Tensor

MIN_STD = 0.01
"""Standard deviation below which a picture has no outline: of its noise, not of what it shows."""

_ACROSS_GREY = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
"""[a]ₓ, the cross product with the unit vector of the grey axis."""


def augment(signal: Tensor, generator: torch.Generator) -> Tensor:
    """float32 (B, C, H, W): every picture's colours turned about the grey axis by an angle of its own.

    A turn by θ about the unit axis a is cos θ · I + (1 − cos θ) · aaᵀ + sin θ · [a]ₓ (Rodrigues' formula).
    """
    if signal.shape[1] != 3:
        return signal
    angle_B11 = (2 * math.pi * torch.rand(len(signal), 1, 1, generator=generator)).to(signal)
    along, across = torch.full((3, 3), 1 / 3).to(signal), _ACROSS_GREY.to(signal)
    turn_B33 = angle_B11.cos() * (torch.eye(3).to(signal) - along) + along + angle_B11.sin() * across
    return torch.einsum("bij,bjhw->bihw", turn_B33, signal).clamp(-1, 1)


@torch.no_grad()
def outline(signal: Tensor) -> Tensor:
    """float32 (B, C, H, W) → (B, 1, H, W): each pixel's place on the axis along which the picture's colours
    spread most (their first principal component), standardised over the picture, over 4.

    It is the same whatever affine map of rank one or more moves the two colours of a picture. The axis points
    to the side with the longer tail, so that what takes less room is bright.
    """
    with torch.autocast(signal.device.type, enabled=False):
        off_BCN = (signal.float() - signal.float().mean((2, 3), keepdim=True)).flatten(2)
        axis_BC1 = torch.linalg.eigh(off_BCN @ off_BCN.mT)[1][..., -1:]
        place_B1N = axis_BC1.mT @ off_BCN
        place_B1N = place_B1N / place_B1N.square().mean(-1, keepdim=True).sqrt().clamp_min(MIN_STD)
        sign = torch.where((place_B1N**3).mean(-1, keepdim=True) < 0, -1, 1)
        found: Tensor = sign * place_B1N / 4
    return found.reshape(len(signal), 1, *signal.shape[2:])
