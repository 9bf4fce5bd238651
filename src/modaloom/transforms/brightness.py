"""Brightness of a picture."""

import torch
from torch import Tensor


def brightness(signal: Tensor, strength: float, *, generator: torch.Generator) -> Tensor:
    """Multiplies the distance from black, -1, by a factor in 1 ± `strength`; (C, *axes) in [-1, 1]."""
    factor = 1 + strength * float(2 * torch.rand((), generator=generator) - 1)
    return ((signal + 1) * factor - 1).clamp(-1, 1)
