"""Greyscale conversion that preserves relative luminance."""

import torch
from torch import Tensor

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Weights of linear red, green and blue in relative luminance (IEC 61966-2-1)."""


def grey(image: Tensor) -> Tensor:
    """sRGB in [0, 1] (..., 3, H, W) → (..., 1, H, W), of equal relative luminance (weighted linear light)."""
    linear = torch.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)
    y = torch.einsum("c,...chw->...hw", torch.tensor(LUMINANCE).to(image), linear).unsqueeze(-3)
    return torch.where(y <= 0.0031308, 12.92 * y, 1.055 * y.clamp(min=0) ** (1 / 2.4) - 0.055).clamp(0, 1)
