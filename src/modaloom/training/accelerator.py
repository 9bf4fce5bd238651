"""Devices, autocast and optimizers; no other module of the training depends on them.

Plain torch, without a further dependency: it provides autocast, fused AdamW, Muon and FSDP2.
"""

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import AdamW, Optimizer

from modaloom.core.defaults import DEVICE
from modaloom.core.distributed import SINGLE_PROCESS, Distributed
from modaloom.core.errors import BadValue, WorkFailed, check_choice
from modaloom.core.precision import fast_bf16
from modaloom.core.types import Loss
from modaloom.runs.config import OptimizerConfig
from modaloom.training.micro_batch import averaged, micro_batches
from modaloom.training.muon import Muon
from modaloom.training.nested import leaves, map_tensors
from modaloom.training.sharding import ShardedNetwork, WholeNetwork, divided_like, local, whole

DEVICES: dict[str, Callable[[], bool]] = {
    "cuda": torch.cuda.is_available,
    "cpu": lambda: True,
    "mps": torch.backends.mps.is_available,
}
"""Device → availability check; `auto` selects the first available one. mps is untested."""
WORKERS = {"cuda": 2, "cpu": 0, "mps": 0}
"""Device → default number of threads that prepare batches: on the CPU, the step itself uses all cores."""


@dataclass(frozen=True)
class StepResult:
    """Result of an optimizer step, as tensors, so that the caller decides when to synchronize."""

    loss: Loss
    """Detached from the graph."""
    grad_norm: Tensor
    """Norm of the gradient before clipping."""


class Optimizers:
    """Muon for a module's `hidden_matrices`, AdamW for all other parameters, with a common `lr_scale`.

    A kernel (out, in, …) is treated as the matrix (out, in · …).

    Args:
        module: its parameters that require gradients are optimized.
        config: learning rates and weight decay.
        dtype: precision of Muon's orthogonalization.
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
        """Take a step at the fraction `lr_scale` of the peak learning rates."""
        for p, matrix in self.matrices:
            if matrix is not p:
                matrix.data = as_matrix(p)
                matrix.grad = None if p.grad is None else as_matrix(_laid_out(p.grad, p))
        for name, member in self.members.items():
            for group in member.param_groups:
                group["lr"] = lr_scale * self._peak(name)
            member.step()

    def zero_grad(self) -> None:
        """Set all gradients to None."""
        for p in self.parameters:
            p.grad = None

    def tensors(self) -> dict[str, Tensor]:
        """Optimizer state, without hyperparameters, by name "adamw.PARAMETER.NAME"."""
        return {
            f"{name}.{index}.{key}": torch.as_tensor(value)
            for name, member in self.members.items()
            for index, state in member.state_dict()["state"].items()
            for key, value in state.items()
        }

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """The inverse of `tensors`. Raises `LookupError` or `ValueError` for the state of another model."""
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
    """Device, precision and ranks of the computation.

    Args:
        device: auto | cpu | cuda | mps.
        precision: fp32 | bf16 | auto (bf16 where its matrix products are faster).
        distributed: the ranks that train together.
        shard: whether they divide a network among them (`network`).

    Raises:
        BadValue: an unknown or unavailable device, or an unknown precision.
    """

    def __init__(
        self,
        device: str = DEVICE,
        precision: str = "auto",
        distributed: Distributed = SINGLE_PROCESS,
        *,
        shard: bool = False,
    ) -> None:
        self.device, self.distributed, self.shard = torch.device(_device(device)), distributed, shard
        check_choice("precision", precision, ("auto", "bf16", "fp32"))
        self._asked = precision

    @property
    def bf16(self) -> bool:
        """Whether matrix products in training use bf16, including those of the optimizer."""
        return self._asked == "bf16" or (self._asked == "auto" and fast_bf16(self.device.type))

    @property
    def precision(self) -> Literal["fp32", "bf16"]:
        """The configured precision, with auto resolved."""
        return "bf16" if self.bf16 else "fp32"

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """Autocast context: matrix products in bf16 if that is the precision; parameters stay float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    @contextlib.contextmanager
    def network(self, module: nn.Module, name: str) -> Iterator[WholeNetwork]:
        """The network of a module to train; divided meanwhile, if networks are, and it has a name."""
        if not (self.shard and name):
            yield WholeNetwork()
            return
        network = ShardedNetwork(module, name, self.device, self.distributed)
        try:
            with warnings.catch_warnings(), self.distributed.answered("exchange of weights"):
                # It would matter for operations in place on the outputs, of which there are none.
                warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view")
                yield network
        finally:
            network.end()

    def optimizer(self, module: nn.Module, config: OptimizerConfig) -> Optimizers:
        """Create optimizers for the parameters that require gradients."""
        return Optimizers(module, config, torch.bfloat16 if self.bf16 else torch.float32)

    def move(self, batch: Any) -> Any:
        """Move every tensor of a nested batch to the device."""
        return map_tensors(batch, lambda tensor: tensor.to(self.device, non_blocking=True))

    def pin(self, batch: Any) -> Any:
        """Copy every tensor of a nested batch to page-locked memory, from which CUDA copies asynchronously.

        Returns the batch itself for other devices.
        """
        return map_tensors(batch, Tensor.pin_memory) if self.device.type == "cuda" else batch

    @property
    def workers(self) -> int:
        """Default number of threads that prepare batches."""
        return WORKERS[self.device.type]

    def step(
        self,
        module: nn.Module,
        optimizers: Optimizers,
        batch: Any,
        compute: Callable[[Any, Distributed], Loss],
        *,
        lr_scale: float,
        where: str,
    ) -> StepResult:
        """Take one training step: forward and backward of each micro-batch, one sum of the gradients over
        the ranks, gradient clipping, optimizer.

        Args:
            module: set to training mode.
            optimizers: of the module's parameters.
            batch: this rank's rows, nested tensors of as many rows; a micro-batch is moved to the device.
            compute: a micro-batch and the ranks → its loss (`core.distributed`).
            lr_scale: fraction of the peak learning rates, in (0, 1].
            where: names the step in error messages.

        Raises:
            WorkFailed: the loss or a gradient is not finite; the parameters are then unchanged.
        """
        module.train()
        optimizers.zero_grad()
        losses = []
        for part in micro_batches(batch, optimizers.config.accumulation_steps, self.distributed):
            with self.autocast():
                found = compute(self.move(part.batch), part.ranks)
            (part.share * found.total).backward()  # type: ignore[no-untyped-call]
            losses.append((part.share, Loss(found.total.detach(), found.parts)))
        loss = averaged(losses)
        self.distributed.sum_gradients(optimizers.parameters)
        norm = whole(get_total_norm([p.grad for p in optimizers.parameters if p.grad is not None]))
        if not torch.isfinite(norm + loss.total):
            raise WorkFailed(f"{where}: {_blame(module, batch, loss)} is not finite; the step is not saved")
        clip_grads_with_norm_(optimizers.parameters, optimizers.config.max_grad_norm, norm)
        optimizers.step(lr_scale)
        return StepResult(loss, norm)


def check_finite(tensors: Mapping[str, Tensor], where: str) -> None:
    """Raise `WorkFailed` naming the first tensor with NaN or infinity."""
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise WorkFailed(f"{where}: {name} holds NaN or infinity; not saved")


def _blame(module: nn.Module, batch: Any, loss: Loss) -> str:
    """Name of the first non-finite tensor, in order: batch, state, loss, gradients."""
    suspects = (
        *leaves(batch, "the batch"),
        *((f"the state {name}", t) for name, t in module.state_dict().items()),
        *((f"the loss part {name}", t) for name, t in loss.parts.items()),
        ("the loss", loss.total),
        *((f"the gradient of {n}", p.grad) for n, p in module.named_parameters() if p.grad is not None),
    )
    names = (name for name, t in suspects if not torch.isfinite(local(t)).all())
    return next(names, "the norm of the gradient")


def as_matrix(kernel: Tensor) -> Tensor:
    """View (out, in, …) as (out, in · …) without a copy, in any memory format; a matrix is returned as is."""
    if kernel.ndim == 2:
        return kernel
    laid = kernel.detach() if kernel.is_contiguous() else kernel.detach().movedim(1, -1)
    return laid.view(len(kernel), -1)


def _laid_out(value: Tensor, parameter: Tensor) -> Tensor:
    """`value` with the parameter's strides.

    Files contain contiguous tensors, and the fused AdamW iterates over raw memory: with a parameter in
    another memory format it would silently pair the wrong elements.
    """
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype).copy_(divided_like(value, parameter))


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
