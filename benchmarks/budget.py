"""Training of the benchmarks' own models: a budget in steps or seconds, AdamW, EMA of the weights."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from modaloom.core.rng import generator
from modaloom.training.ema import EMA

Loss = Callable[[torch.Generator], Tensor]
"""Randomness of a step → a scalar, with gradient."""


@dataclass(frozen=True)
class Budget:
    """A number of steps, else seconds."""

    seconds: float
    steps: int | None = None

    def split(self, share: float) -> tuple["Budget", "Budget"]:
        """Into that share and the rest."""
        first = None if self.steps is None else max(1, round(share * self.steps))
        rest = None if self.steps is None or first is None else max(1, self.steps - first)
        return Budget(share * self.seconds, first), Budget((1 - share) * self.seconds, rest)

    def shares(self) -> Iterator[float]:
        """Before each step, the share of the budget that is spent; at least one step."""
        start, step, spent = time.perf_counter(), 0, 0.0
        while step == 0 or spent < 1:
            yield spent
            step += 1
            seconds = time.perf_counter() - start
            spent = step / self.steps if self.steps else seconds / self.seconds


@dataclass(frozen=True)
class Descent:
    """AdamW with a linear warm-up, a cosine decay and clipped gradients."""

    rate: float = 1e-3
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    warmup: float = 0.05
    """Share of the budget."""
    clip: float = 1.0
    average: float = 0.999
    """Decay per step of the weights' EMA."""
    bf16: bool = False

    def run(self, module: nn.Module, loss: Loss, budget: Budget, *, seed: int) -> list[float]:
        """The losses of all steps; the module ends in eval mode with its averaged weights."""
        optimizer = torch.optim.AdamW(
            module.parameters(), lr=self.rate, betas=self.betas, weight_decay=self.weight_decay
        )
        average, losses = EMA(module, self.average), []
        module.train()
        for step, share in enumerate(budget.shares(), 1):
            for group in optimizer.param_groups:
                group["lr"] = self.rate * self.factor(share)
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
                value = loss(generator(seed, "step", step))
            value.backward()
            nn.utils.clip_grad_norm_(module.parameters(), self.clip)
            optimizer.step()
            average.update(module, step)
            losses.append(value.item())
        module.load_state_dict(average.tensors)
        module.eval()
        return losses

    def factor(self, share: float) -> float:
        """Learning-rate factor after that share of the budget."""
        rise = min(1.0, share / self.warmup + 1e-2) if self.warmup else 1.0
        return rise * (1 + math.cos(math.pi * min(1.0, share))) / 2


def parameters(*modules: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for module in modules for p in module.parameters())
