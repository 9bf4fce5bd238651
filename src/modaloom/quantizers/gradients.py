"""How a gradient passes the choice of a code, which has none."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from modaloom.quantizers.base import straight_through

__all__ = ["GRADIENT_ESTIMATORS", "rotation_trick", "straight_through"]


def rotation_trick(z: Tensor, q: Tensor) -> Tensor:
    """z, q (..., D) → q bit for bit, with the gradient of λRz (Fifty et al. 2024, arXiv 2410.06424, eq. 3).

    R turns z/‖z‖ to q/‖q‖ in their plane, λ = ‖q‖/‖z‖; both are constants to the gradient, which becomes
    λRᵀg: it keeps its angle to the vector. With ẑ, q̂ the directions and r = (ẑ + q̂)/‖ẑ + q̂‖,
    R = I − 2rrᵀ + 2q̂ẑᵀ. Where there is no such rotation (z or q is zero, or they are opposite) the gradient
    passes as it is.
    """
    passed: Tensor = _Rotated.apply(z.to(q.dtype), q.detach())  # type: ignore[no-untyped-call]
    return passed


class _Rotated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, q: Tensor) -> Tensor:
        ctx.save_for_backward(z, q)
        return q

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        z, q = ctx.saved_tensors
        return _turned_back(grads[0], z, q), None


def _turned_back(g: Tensor, z: Tensor, q: Tensor) -> Tensor:
    """λRᵀg (..., D)."""
    tiny = torch.finfo(z.dtype).tiny
    long_z, long_q = (x.norm(dim=-1, keepdim=True) for x in (z, q))
    to, back = z / long_z.clamp(min=tiny), q / long_q.clamp(min=tiny)
    middle = to + back
    long = middle.norm(dim=-1, keepdim=True)
    r = middle / long.clamp(min=tiny)
    turned = g - 2 * _dot(r, g) * r + 2 * _dot(back, g) * to
    exists = (long_z > 0) & (long_q > 0) & (long > 1e-6)
    return torch.where(exists, long_q / long_z.clamp(min=tiny) * turned, g)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1, keepdim=True)


GRADIENT_ESTIMATORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "straight_through": straight_through,
    "rotation": rotation_trick,
}
