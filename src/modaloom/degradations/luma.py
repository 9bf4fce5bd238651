"""Pictures as luma and what differs from it: the brightness can stay, to the bit, while colours change."""

import torch
from torch import Tensor

LUMA = (19595 / 65536, 38470 / 65536, 7471 / 65536)
"""ITU-R BT.601 in the fixed-point numbers of Pillow's mode L, so that both round alike."""


def luma(image: Tensor) -> Tensor:
    """RGB (..., 3, H, W) → (..., 1, H, W)."""
    return torch.einsum("c,...chw->...hw", torch.tensor(LUMA).to(image), image).unsqueeze(-3)


def replace_luma(brightness: Tensor, colours: Tensor) -> Tensor:
    """The colours of one picture with the luma of another, in 8 bits.

    Colours that do not exist at a brightness are drawn towards grey. Red and blue are rounded and green
    closes the balance: as its weight is over ½, luma comes out within ½ · 0.587 of a level.

    Args:
        brightness: (..., 1, H, W), multiples of 1/255 in [0, 1].
        colours: RGB (..., 3, H, W); its own luma has no influence.

    Returns:
        (..., 3, H, W), multiples of 1/255 in [0, 1], whose luma in 8 bits is `brightness` exactly.
    """
    y, weight = brightness.double(), LUMA
    away = colours.double() - luma(colours.double())
    room = torch.where(away > 0, 1 - y, -y) / torch.where(away == 0, 1e-9, away)
    most = torch.where(away == 0, 1.0, room).amin(-3, keepdim=True).clamp(0, 1)
    red, _, blue = (255 * (y + most * away)).round().unbind(-3)
    green = ((255 * y.squeeze(-3) - weight[0] * red - weight[2] * blue) / weight[1]).round()
    return (torch.stack([red, green, blue], -3).clamp(0, 255) / 255).to(colours)
