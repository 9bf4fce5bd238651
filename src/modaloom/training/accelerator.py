"""Devices, autocast and optimizers: the only file that knows them.

Native torch, because it is the one choice without a dependency: autocast, fused AdamW and Muon are all in it,
and `torchrun` with FSDP2 can join behind these same few methods.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import AdamW, Optimizer

from modaloom.core.defaults import DEVICE
from modaloom.core.errors import BadValue, WorkFailed, check_choice
from modaloom.core.precision import fast_bf16
from modaloom.core.types import Loss
from modaloom.runs.config import OptimizerConfig
from modaloom.training.muon import Muon

DEVICES: dict[str, Callable[[], bool]] = {
    "cuda": torch.cuda.is_available,
    "cpu": lambda: True,
    "mps": torch.backends.mps.is_available,
}
"""Name → whether it is there; `auto` takes the first that is. On mps nothing has been tried."""


@dataclass(frozen=True)
class StepResult:
    """One optimizer step; tensors, so that reading them is the caller's choice."""

    loss: Loss
    """Detached."""
    grad_norm: Tensor
    """Before clipping."""


class Optimizers:
    """Muon on the matrices that a module names, AdamW on the rest, at one share of their peak rates.

    A kernel (out, in, …) is the matrix (out, in · …). `dtype`: of Muon's orthogonalization.
    """

    def __init__(
        self, module: nn.Module, config: OptimizerConfig, dtype: torch.dtype = torch.float32
    ) -> None:
        self.config = config
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        named: set[int] = {id(matrix) for matrix in getattr(module, "hidden_matrices", list)()}
        self.matrices = [(p, as_matrix(p)) for p in self.parameters if id(p) in named]
        rest = [p for p in self.parameters if id(p) not in named]
        self.members: dict[str, Optimizer] = {}
        if self.matrices:
            self.members["muon"] = Muon(
                [matrix for _, matrix in self.matrices],
                lr=config.matrix_learning_rate,
                weight_decay=config.weight_decay,
                dtype=dtype,
            )
        if rest:
            self.members["adamw"] = _adamw(rest, config)

    def step(self, lr_scale: float) -> None:
        """Take a step at `lr_scale` of the peak rates."""
        for p, matrix in self.matrices:
            if matrix is not p:
                matrix.data = as_matrix(p)
                matrix.grad = None if p.grad is None else as_matrix(_laid_out(p.grad, p))
        for name, member in self.members.items():
            for group in member.param_groups:
                group["lr"] = lr_scale * self._peak(name)
            member.step()

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for p in self.parameters:
            p.grad = None

    def tensors(self) -> dict[str, Tensor]:
        """Their state, as "adamw.PARAMETER.NAME": all that the configuration does not give."""
        return {
            f"{name}.{index}.{key}": torch.as_tensor(value)
            for name, member in self.members.items()
            for index, state in member.state_dict()["state"].items()
            for key, value in state.items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """The inverse of `tensors`. Raises `LookupError` or `ValueError` if they are another model's."""
        order = {name: [p for g in o.param_groups for p in g["params"]] for name, o in self.members.items()}
        states: dict[str, dict[int, dict[str, Tensor]]] = {name: {} for name in self.members}
        for path, value in tensors.items():
            name, index, key = path.split(".", 2)
            parameter = order[name][int(index)]
            states[name].setdefault(int(index), {})[key] = _laid_out(value, parameter)
        for name, member in self.members.items():
            member.load_state_dict({**member.state_dict(), "state": states[name]})

    def _peak(self, name: str) -> float:
        return self.config.matrix_learning_rate if name == "muon" else self.config.learning_rate


class Accelerator:
    """Where the work runs, and in which precision.

    Args:
        device: auto | cpu | cuda | mps.
        precision: fp32 | bf16 | auto: bf16 where its products are the faster ones.
    """

    def __init__(self, device: str = DEVICE, precision: str = "auto") -> None:
        self.device = torch.device(_device(device))
        check_choice("precision", precision, ("auto", "bf16", "fp32"))
        self._asked = precision

    @property
    def bf16(self) -> bool:
        """Whether products of a training run in bf16, those of the optimizer included."""
        return self._asked == "bf16" or (self._asked == "auto" and fast_bf16(self.device.type))

    @property
    def precision(self) -> Literal["fp32", "bf16"]:
        """What was asked for, or what auto found."""
        return "bf16" if self.bf16 else "fp32"

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Matrix products in bf16, if that is the precision; parameters stay float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def optimizer(self, module: nn.Module, config: OptimizerConfig) -> Optimizers:
        """Optimizers for the parameters that require gradients."""
        return Optimizers(module, config, torch.bfloat16 if self.bf16 else torch.float32)

    def move(self, batch: Any) -> Any:
        """Every tensor of a nested batch on the device."""
        if isinstance(batch, Tensor):
            return batch.to(self.device, non_blocking=True)
        if isinstance(batch, Mapping):
            return {name: self.move(value) for name, value in batch.items()}
        if isinstance(batch, list | tuple):
            return type(batch)(self.move(value) for value in batch)
        if is_dataclass(batch) and not isinstance(batch, type):
            return replace(batch, **{f.name: self.move(getattr(batch, f.name)) for f in fields(batch)})
        return batch

    def step(
        self,
        module: nn.Module,
        optimizers: Optimizers,
        batch: Any,
        compute: Callable[[Any], Loss],
        *,
        lr_scale: float,
        where: str,
    ) -> StepResult:
        """One step of training.

        Args:
            batch: tensors in nested mappings, sequences and dataclasses; moved to the device.
            compute: batch → loss.
            lr_scale: of the peak learning rates.
            where: names the step in an error.

        Raises:
            WorkFailed: the loss or a gradient is not finite; the parameters are then as they were.
        """
        module.train()
        batch = self.move(batch)
        optimizers.zero_grad()
        with self.autocast():
            loss = compute(batch)
        loss.total.backward()  # type: ignore[no-untyped-call]
        norm = get_total_norm([p.grad for p in optimizers.parameters if p.grad is not None])
        if not torch.isfinite(norm + loss.total.detach()):
            raise WorkFailed(f"{where}: {_blame(module, batch, loss)} is not finite; the step is not saved")
        clip_grads_with_norm_(optimizers.parameters, optimizers.config.max_grad_norm, norm)
        optimizers.step(lr_scale)
        return StepResult(Loss(loss.total.detach(), loss.parts), norm)


def check_finite(tensors: Mapping[str, Tensor], where: str) -> None:
    """Raise `WorkFailed` naming the first tensor that holds NaN or infinity."""
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise WorkFailed(f"{where}: {name} holds NaN or infinity; not saved")


def _blame(module: nn.Module, batch: Any, loss: Loss) -> str:
    """What went wrong first: the input, the state, the loss or a gradient."""
    suspects = (
        *_leaves(batch, "the batch"),
        *((f"the state {name}", t) for name, t in module.state_dict().items()),
        *((f"the loss part {name}", t) for name, t in loss.parts.items()),
        ("the loss", loss.total.detach()),
        *((f"the gradient of {n}", p.grad) for n, p in module.named_parameters() if p.grad is not None),
    )
    names = (name for name, t in suspects if not torch.isfinite(t).all())
    return next(names, "the norm of the gradient")


def _leaves(batch: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a nested batch, each with its path."""
    if isinstance(batch, Tensor):
        yield name, batch
    elif isinstance(batch, list | tuple):
        batch = dict(enumerate(batch))
    elif is_dataclass(batch):
        batch = vars(batch)
    if isinstance(batch, Mapping):
        for key, value in batch.items():
            yield from _leaves(value, f"{name}.{key}")


def as_matrix(kernel: Tensor) -> Tensor:
    """(out, in, …) → (out, in · …), the same memory in whichever format it is; a matrix is itself."""
    if kernel.ndim == 2:
        return kernel
    laid = kernel.detach() if kernel.is_contiguous() else kernel.detach().movedim(1, -1)
    return laid.view(len(kernel), -1)


def _laid_out(value: Tensor, parameter: Tensor) -> Tensor:
    """`value` with the parameter's strides.

    Files hold contiguous tensors, and the fused AdamW walks raw memory: beside a parameter in another memory
    format it would silently pair the wrong elements.
    """
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _adamw(parameters: list[nn.Parameter], config: OptimizerConfig) -> AdamW:
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.95), fused=True)


def _device(name: str) -> str:
    check_choice("device", name, ("auto", *DEVICES))
    if name == "auto":
        return next(device for device, there in DEVICES.items() if there())
    if not DEVICES[name]():
        raise BadValue(f"device {name} is not available here; use --device auto")
    return name
