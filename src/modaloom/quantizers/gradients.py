"""Gradient estimators for the discrete choice of a code."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from modaloom.quantizers.base import straight_through

__all__ = ["GRADIENT_ESTIMATORS", "rotation_trick", "straight_through"]


def rotation_trick(z: Tensor, q: Tensor) -> Tensor:
    """Rotation trick: the value q, the gradient of λRz (Fifty et al. 2024, arXiv 2410.06424, eq. 3).

    z, q (..., D). R rotates z/‖z‖ to q/‖q‖ in their plane, λ = ‖q‖/‖z‖; both are constants, so the gradient
    is λRᵀg. With ẑ, q̂ the directions and r = (ẑ + q̂)/‖ẑ + q̂‖, R = I − 2rrᵀ + 2q̂ẑᵀ. Straight-through where
    the rotation is undefined (z or q is zero, or they are opposite).
    """
    passed: Tensor = _RotationTrick.apply(z.to(q.dtype), q.detach())  # type: ignore[no-untyped-call]
    return passed


class _RotationTrick(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, q: Tensor) -> Tensor:
        ctx.save_for_backward(z, q)
        return q

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        z, q = ctx.saved_tensors
        return _rotate_gradient(grads[0], z, q), None


def _rotate_gradient(g: Tensor, z: Tensor, q: Tensor) -> Tensor:
    """λRᵀg (..., D)."""
    tiny = torch.finfo(z.dtype).tiny
    norm_z, norm_q = (x.norm(dim=-1, keepdim=True) for x in (z, q))
    unit_z, unit_q = z / norm_z.clamp(min=tiny), q / norm_q.clamp(min=tiny)
    bisector = unit_z + unit_q
    norm = bisector.norm(dim=-1, keepdim=True)
    r = bisector / norm.clamp(min=tiny)
    rotated = g - 2 * _dot(r, g) * r + 2 * _dot(unit_q, g) * unit_z
    exists = (norm_z > 0) & (norm_q > 0) & (norm > 1e-6)
    return torch.where(exists, norm_q / norm_z.clamp(min=tiny) * rotated, g)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1, keepdim=True)


GRADIENT_ESTIMATORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "straight_through": straight_through,
    "rotation": rotation_trick,
}
