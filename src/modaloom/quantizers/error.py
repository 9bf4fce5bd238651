"""Squared errors in chunks, without a temporary of the size of their arguments."""

from typing import Any

import torch
from torch import Tensor

from modaloom.core.distributed import Distributed

CHUNK_SIZE = 2**17
"""Values per chunk."""


def mean_squared_error(a: Tensor, b: Tensor, distributed: Distributed) -> Tensor:
    """The mean of (a − b)² over all values of a and b (N, D) of all ranks; 0 if there are none."""
    total = distributed.count(len(a))
    return distributed.sum(squared_error(a, b)) / max(1, total * a.shape[1])


def squared_deviation(z: Tensor, distributed: Distributed) -> Tensor:
    """Σ‖z − mean‖² of the rows z (N, D) of all ranks."""
    return distributed.sum((z - distributed.mean(z)).square().sum())


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """Σ(a − b)² of a and b (N, D): a scalar with gradients to both."""
    if torch.compiler.is_exporting():
        return (a - b).square().sum()
    total: Tensor = _SquaredError.apply(a, b)  # type: ignore[no-untyped-call]
    return total


class _SquaredError(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        rows = max(1, CHUNK_SIZE // max(1, a.shape[1]))
        parts = [(x - y).square_().sum() for x, y in zip(torch.split(a, rows), torch.split(b, rows))]
        return torch.stack(parts).sum()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None]:
        a, b = ctx.saved_tensors
        pull = (2 * grads[0]) * (a - b) if any(ctx.needs_input_grad) else None
        wants_a, wants_b = ctx.needs_input_grad
        return pull if wants_a else None, -pull if wants_b and pull is not None else None
