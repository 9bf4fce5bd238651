"""Rotation of an image's colours about the grey axis."""

import math

import torch
from torch import Tensor

from modaloom.core.distributed import Rows

_ACROSS_GREY = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
"""[a]ₓ, the cross-product matrix of the grey axis's unit vector."""


def rotate_colours(signal: Tensor, generator: torch.Generator, rows: Rows | None = None) -> Tensor:
    """Rotates the colours of each image about the grey axis by a random angle; (B, C, H, W) in [-1, 1].

    The rotation by θ about the unit axis a is cos θ · I + (1 − cos θ) · aaᵀ + sin θ · [a]ₓ (Rodrigues'
    formula). Images without three channels are unchanged. `rows`: where the B images are in the batch of all
    ranks, which `generator` serves; None: they are all of it.
    """
    if signal.shape[1] != 3:
        return signal
    rows = rows or Rows(0, len(signal), len(signal))
    uniform_B11 = rows.own(torch.rand(rows.total, 1, 1, generator=generator))
    angle_B11 = (2 * math.pi * uniform_B11).to(signal)
    along, across = torch.full((3, 3), 1 / 3).to(signal), _ACROSS_GREY.to(signal)
    turn_B33 = angle_B11.cos() * (torch.eye(3).to(signal) - along) + along + angle_B11.sin() * across
    return torch.einsum("bij,bjhw->bihw", turn_B33, signal).clamp(-1, 1)
