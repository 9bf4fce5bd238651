"""Projection onto the unit sphere."""

import torch
from torch import Tensor


def direction(x: Tensor) -> Tensor:
    """x (..., D) → x/‖x‖; zero stays zero."""
    length: Tensor = x.norm(dim=-1, keepdim=True)
    return x / length.clamp(min=torch.finfo(x.dtype).tiny)


def unit(x: Tensor) -> Tensor:
    """x (..., D) → x/‖x‖. A zero vector, which has no direction, becomes the first axis."""
    axis = torch.eye(1, x.shape[-1], dtype=x.dtype, device=x.device)[0]
    return torch.where(x.norm(dim=-1, keepdim=True) == 0, axis, direction(x))
