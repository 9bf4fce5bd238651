"""The training loop as a generator; logging, checkpoints and stopping are up to the caller.

There is no random state: a step's noise derives from (seed, stage, "noise", step) and its samples from the
step, so the state of a training is weights, buffers, optimizer, weight average and number of steps.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from modaloom.core.distributed import Distributed
from modaloom.core.errors import BadRun
from modaloom.core.rng import generator
from modaloom.core.types import Loss
from modaloom.runs.checkpoint import Checkpoint
from modaloom.runs.config import OptimizerConfig
from modaloom.runs.schedule import Schedule
from modaloom.training.accelerator import Accelerator, Optimizers, StepResult, check_finite
from modaloom.training.ema import EMA
from modaloom.training.sharding import divided_like, gathered
from modaloom.training.threads import Changes, threads_at

NUM_VALIDATIONS = 10
"""Number of evaluations of a Loom's validation bound during training."""


@dataclass(frozen=True)
class Turn:
    """A further module of a stage, with its own loss and optimizer, which takes its turn in each step.

    It is part of the checkpoints, but has no weight average, and is dropped when the stage ends.
    """

    name: str
    module: nn.Module
    loss: Callable[[Any, torch.Generator, Distributed], Loss]
    """(micro-batch, CPU generator of the turn, the ranks) → loss. Only `module` is optimized on it."""
    optimizer: OptimizerConfig
    start: float = 0.0
    """Fraction of the steps after which it takes part, in [0, 1]."""


@dataclass(frozen=True)
class Stage:
    """A module and its training setup. The complete trained state is the module's state_dict."""

    name: str
    module: nn.Module
    batch: Callable[[int], Any]
    """Step (from 0) → batch; a pure function."""
    loss: Callable[[Any, torch.Generator, Distributed], Loss]
    """(micro-batch, CPU generator of the step, the ranks) → loss."""
    optimizer: OptimizerConfig
    size: int
    """Samples per batch."""
    num_samples: int = 0
    """Samples per epoch."""
    validation_error: Callable[[], float] | None = None
    """Computes the module's error on validation samples, in eval mode. A stage that has one may end before
    its time budget is used, once the error is small or has flattened."""
    turns: Sequence[Turn] = ()
    """Modules that are trained beside this one, after it in each step, on the same batch."""
    network: str = ""
    """Name of the submodule that ranks may divide (`training/sharding.py`); empty: none."""

    @property
    def modules(self) -> list[nn.Module]:
        """All modules that are trained, the stage's own first."""
        return [self.module, *(turn.module for turn in self.turns)]


@dataclass(frozen=True)
class Step:
    """Report of a training step. Reading its tensors synchronizes with the device, as `record` does."""

    stage: str
    step: int
    """Number of completed steps."""
    total: int
    loss: Tensor
    parts: Mapping[str, Tensor]
    grad_norm: Tensor
    learning_rate: float
    """Fraction of the peak learning rates, in (0, 1]."""
    samples_per_second: float
    seconds: float
    """Duration of the step."""
    seconds_left: float
    """Estimated seconds to the end of the stage."""
    whole: bool = True
    """Whether a rank can use the module alone now, which ranks may have divided."""


def record(steps: Sequence[Step]) -> dict[str, Any]:
    """Log record of the last step, with means over all steps; a loss part over the steps that have it."""
    last = steps[-1]
    parts = sorted({name for step in steps for name in step.parts})
    return {
        "stage": last.stage,
        "step": last.step,
        "total": last.total,
        "loss": _mean([step.loss for step in steps]),
        **{f"loss.{n}": _mean([step.parts[n] for step in steps if n in step.parts]) for n in parts},
        "grad_norm": _mean([step.grad_norm for step in steps]),
        "learning_rate": last.learning_rate,
        "samples_per_second": round(last.samples_per_second, 1),
    }


def _mean(values: Sequence[Tensor]) -> float:
    return float(torch.stack([value.float() for value in values]).mean())


class Training:
    """State of a stage in training, which checkpoints save and restore.

    Args:
        stage: module and training setup; the module is moved to the device.
        accelerator: device and precision.
        schedule: learning-rate schedule, which gives the number of steps.
        seed: seed of the noise.
        ema: decay of the weight average per step, in [0, 1].
        threads: changes of the number of CPU threads; empty: the process's number.
    """

    def __init__(
        self,
        stage: Stage,
        accelerator: Accelerator,
        schedule: Schedule,
        *,
        seed: int,
        ema: float,
        threads: Changes = (),
    ) -> None:
        for module in stage.modules:
            module.to(accelerator.device)
        self.threads = threads
        self.stage, self.accelerator, self.schedule, self.seed = stage, accelerator, schedule, seed
        self.optimizers = accelerator.optimizer(stage.module, stage.optimizer)
        self.turns = [(turn, accelerator.optimizer(turn.module, turn.optimizer)) for turn in stage.turns]
        self.ema = EMA(stage.module, ema)
        self.step = 0

    def advance(self) -> StepResult:
        """Take one step of every module, in turn. Raises `WorkFailed` for NaN or infinity."""
        threads = threads_at(self.threads, self.step)
        if threads not in (None, torch.get_num_threads()):
            torch.set_num_threads(threads)
        path = self.stage.name, "noise", self.step
        batch = self.stage.batch(self.step)
        result = self.accelerator.step(
            self.stage.module,
            self.optimizers,
            batch,
            lambda batch, ranks: self.stage.loss(batch, generator(self.seed, *path), ranks),
            lr_scale=self.lr_scale,
            where=f"step {self.step + 1} of {self.stage.name}",
        )
        parts = dict(result.loss.parts)
        for turn, optimizers in self.turns:
            if self.schedule.progress(self.step) >= turn.start:
                parts |= self._take(turn, optimizers, batch)
        self.step += 1
        self.ema.update(self.stage.module, self.step)
        return StepResult(Loss(result.loss.total, parts), result.grad_norm)

    def _take(self, turn: Turn, optimizers: Optimizers, batch: Any) -> dict[str, Tensor]:
        """Take a further turn of this step; returns what to log of it, by name `TURN.PART`."""
        path = self.stage.name, "noise", self.step, turn.name
        result = self.accelerator.step(
            turn.module,
            optimizers,
            batch,
            lambda batch, ranks: turn.loss(batch, generator(self.seed, *path), ranks),
            lr_scale=self.lr_scale,
            where=f"step {self.step + 1} of {self.stage.name}, {turn.name}",
        )
        parts = {"loss": result.loss.total, **result.loss.parts, "grad_norm": result.grad_norm}
        return {f"{turn.name}.{name}": value for name, value in parts.items()}

    @property
    def lr_scale(self) -> float:
        """Fraction of the peak learning rates for the next step."""
        return self.schedule.share(self.step)

    @property
    def total(self) -> int:
        """Number of steps of the stage by the current schedule."""
        return self.schedule.total

    def validation_error(self) -> float:
        """The stage's validation error with the averaged weights."""
        module = self.stage.module
        assert self.stage.validation_error is not None
        weights = {name: t.detach().clone() for name, t in module.state_dict().items()}
        module.load_state_dict(self.ema.tensors)
        module.eval()
        try:
            with torch.no_grad(), self.accelerator.autocast():
                return self.stage.validation_error()
        finally:
            module.load_state_dict(weights)
            module.train()

    def checkpoint(self) -> Checkpoint:
        """The complete state, on rank 0; all call it. Raises `WorkFailed` if it has NaN or infinity."""
        tensors = {
            "weights": self.stage.module.state_dict(),
            "ema": self.ema.tensors,
            "optimizer": self.optimizers.tensors(),
        }
        for turn, optimizers in self.turns:
            tensors[f"{turn.name}.weights"] = turn.module.state_dict()
            tensors[f"{turn.name}.optimizer"] = optimizers.tensors()
        tensors = {name: gathered(group, self.accelerator.distributed) for name, group in tensors.items()}
        for name, group in tensors.items():
            check_finite(group, f"{name} of {self.stage.name} after step {self.step}")
        return Checkpoint(self.step, tensors, {"stage": self.stage.name, "step": self.step})

    def restore(self, checkpoint: Checkpoint) -> None:
        """The inverse of `checkpoint`. Raises `BadRun` for a checkpoint of another model."""
        try:
            now = self.stage.module.state_dict()
            self.stage.module.load_state_dict(
                {name: divided_like(t, now.get(name, t)) for name, t in checkpoint.tensors["weights"].items()}
            )
            self.ema.load(checkpoint.tensors["ema"])
            self.optimizers.load(checkpoint.tensors["optimizer"])
            for turn, optimizers in self.turns:
                turn.module.load_state_dict(dict(checkpoint.tensors[f"{turn.name}.weights"]))
                optimizers.load(checkpoint.tensors[f"{turn.name}.optimizer"])
        except (LookupError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise BadRun(
                f"the checkpoint of {self.stage.name} does not fit its configuration: {reason}"
            ) from error
        self.step = checkpoint.step


def train(training: Training) -> Iterator[Step]:
    """Train to the end of the stage, yielding after every step."""
    pace = 0.0
    while training.step < training.total:
        start, lr_scale = time.perf_counter(), training.lr_scale
        result = training.advance()
        seconds = time.perf_counter() - start
        pace = 0.9 * pace + 0.1 * seconds if pace else seconds
        yield Step(
            training.stage.name,
            training.step,
            training.total,
            result.loss.total,
            result.loss.parts,
            result.grad_norm,
            lr_scale,
            training.stage.size / pace,
            seconds,
            (training.total - training.step) * pace,
        )


def validates_at(step: Step) -> bool:
    """Whether to validate after this step: about `NUM_VALIDATIONS` times in a stage, and at its end."""
    return step.step == step.total or step.step % max(1, step.total // NUM_VALIDATIONS) == 0
