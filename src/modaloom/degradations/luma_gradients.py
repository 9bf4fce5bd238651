"""Gradients of luma."""

import torch
from torch import Tensor
from torch.nn import functional as F


def luma_gradients(brightness: Tensor) -> Tensor:
    """(1, H, W) → (2, H, W): vertical and horizontal central differences, per pixel; replicate-padded."""
    padded = F.pad(brightness, [1] * 4, mode="replicate")
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    right = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    return torch.cat([down, right], -3) / 2
