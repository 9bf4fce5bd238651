"""Muon whose orthogonalization runs in a precision of choice.

Jordan et al. 2024 (kellerjordan.github.io/posts/muon). `torch.optim.Muon` orthogonalizes in bfloat16 on every
processor: on one without instructions for it a step takes thirty times as long as in float32. This one keeps
torch's defaults and state.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Muon as TorchMuon


class Muon(TorchMuon):
    """`torch.optim.Muon`, its updates scaled to AdamW's size (Liu et al. 2025, arXiv 2502.16982).

    Args:
        parameters: matrices.
        lr: the learning rate; the peak of a schedule.
        weight_decay: decoupled; a matrix shrinks by lr · weight_decay a step.
        dtype: of the orthogonalization's products.
    """

    def __init__(
        self, parameters: Iterable[Tensor], *, lr: float, weight_decay: float, dtype: torch.dtype
    ) -> None:
        super().__init__(parameters, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step with the gradients that are there."""
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
        looked = grad.lerp(momentum, group["momentum"])  # Nesterov's
        update = orthogonalize(
            looked, group["ns_coefficients"], group["ns_steps"], eps=group["eps"], dtype=self.dtype
        )
        matrix.mul_(1 - lr * group["weight_decay"])
        matrix.add_(update, alpha=-lr * (0.2 * math.sqrt(max(matrix.shape))))


def orthogonalize(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, *, eps: float, dtype: torch.dtype
) -> Tensor:
    """Its singular values sent near 1: `steps` times s ← a·s + b·s³ + c·s⁵, from s / ‖matrix‖ (Frobenius)."""
    a, b, c = coefficients
    x = matrix.to(dtype, copy=True)
    tall = len(x) > x.shape[1]
    x = x.T if tall else x
    x.div_(x.norm().clamp(min=eps))
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
