"""The drawing of a picture: where its luma changes, and in which direction."""

import torch
from torch import Tensor
from torch.nn import functional as F


def luma_gradients(brightness: Tensor) -> Tensor:
    """(1, H, W) → (2, H, W): half the difference of the neighbours below and above, and right and left.

    The picture's edge is repeated outwards.
    """
    wide = F.pad(brightness, [1] * 4, mode="replicate")
    down = wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]
    right = wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]
    return torch.cat([down, right], -3) / 2
