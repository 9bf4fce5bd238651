"""Luma of images, and its exact replacement: colours can change while the 8-bit luma stays."""

import torch
from torch import Tensor

LUMA = (19595 / 65536, 38470 / 65536, 7471 / 65536)
"""ITU-R BT.601 weights in the fixed-point form of Pillow's mode L, so that both round alike."""


def luma(image: Tensor) -> Tensor:
    """RGB (..., 3, H, W) → luma (..., 1, H, W), in the same range."""
    return torch.einsum("c,...chw->...hw", torch.tensor(LUMA).to(image), image).unsqueeze(-3)


def replace_luma(brightness: Tensor, colours: Tensor) -> Tensor:
    """Combine the colours of one image with the luma of another, in 8 bits.

    Colours out of gamut at a brightness are desaturated. Red and blue are rounded and green is chosen to
    match: as its weight is over ½, the luma is within ½ · 0.587 of a level.

    Args:
        brightness: (..., 1, H, W), multiples of 1/255 in [0, 1].
        colours: RGB (..., 3, H, W) in [0, 1]; its own luma has no influence.

    Returns:
        (..., 3, H, W), multiples of 1/255 in [0, 1], whose luma in 8 bits is `brightness` exactly.
    """
    y, weight = brightness.double(), LUMA
    chroma = colours.double() - luma(colours.double())
    limit = torch.where(chroma > 0, 1 - y, -y) / torch.where(chroma == 0, 1e-9, chroma)
    saturation = torch.where(chroma == 0, 1.0, limit).amin(-3, keepdim=True).clamp(0, 1)
    red, _, blue = (255 * (y + saturation * chroma)).round().unbind(-3)
    green = ((255 * y.squeeze(-3) - weight[0] * red - weight[2] * blue) / weight[1]).round()
    return (torch.stack([red, green, blue], -3).clamp(0, 255) / 255).to(colours)
