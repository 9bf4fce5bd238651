"""Muon with a configurable precision of the orthogonalization.

Jordan et al. 2024 (kellerjordan.github.io/posts/muon). `torch.optim.Muon` orthogonalizes in bfloat16 on every
processor; without bfloat16 instructions a step takes thirty times as long as in float32. Defaults and state
are those of torch.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Muon as TorchMuon

from modaloom.training.sharding import divided_like, whole


class Muon(TorchMuon):
    """`torch.optim.Muon` with updates scaled to the RMS of AdamW's (Liu et al. 2025, arXiv 2502.16982).

    Args:
        parameters: matrices.
        lr: learning rate; the peak of a schedule.
        weight_decay: decoupled; a matrix is multiplied by 1 − lr · weight_decay per step.
        dtype: precision of the orthogonalization.
    """

    def __init__(
        self, parameters: Iterable[Tensor], *, lr: float, weight_decay: float, dtype: torch.dtype
    ) -> None:
        super().__init__(parameters, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all matrices that have a gradient."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is not None:
                    self._update(matrix, matrix.grad, group)
        return loss

    def _update(self, matrix: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state, lr = self.state[matrix], float(group["lr"])
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(grad, memory_format=torch.preserve_format)
        momentum = state["momentum_buffer"].lerp_(grad, 1 - group["momentum"])
        looked = grad.lerp(momentum, group["momentum"])  # Nesterov momentum
        update = orthogonalize(
            whole(looked), group["ns_coefficients"], group["ns_steps"], eps=group["eps"], dtype=self.dtype
        )
        matrix.mul_(1 - lr * group["weight_decay"])
        matrix.add_(divided_like(update, matrix), alpha=-lr * (0.2 * math.sqrt(max(matrix.shape))))


def orthogonalize(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, *, eps: float, dtype: torch.dtype
) -> Tensor:
    """Approximately orthogonalize a matrix by Newton–Schulz iteration: its singular values approach 1.

    Args:
        matrix: (m, n).
        coefficients: (a, b, c) of the iteration s ← a·s + b·s³ + c·s⁵, which starts at s / ‖matrix‖
            (Frobenius norm).
        steps: number of iterations.
        eps: lower bound of the norm that is divided by.
        dtype: precision of the iteration and of the result.
    """
    a, b, c = coefficients
    x = matrix.to(dtype, copy=True)
    tall = len(x) > x.shape[1]
    x = x.T if tall else x
    x.div_(x.norm().clamp(min=eps))
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
