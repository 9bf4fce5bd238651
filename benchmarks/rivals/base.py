"""The contract, and the perceptrons that the plain families are made of.

Shapes: B batch, C columns, W width, D latent width.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

import torch
from budget import Budget
from torch import Tensor, nn

BATCH = 128
"""Rows a step."""


class Rival(nn.Module, ABC):
    """A model of rows (n, columns) that are centred, of about unit variance, float32."""

    @abstractmethod
    def learn(self, rows: Tensor, budget: Budget, *, seed: int) -> int:
        """Train from fresh weights; returns the number of steps."""

    @abstractmethod
    def sample(self, n: int, *, generator: torch.Generator) -> Tensor:
        """float32 (n, columns)."""


def perceptron(*widths: int) -> nn.Sequential:
    """Linear layers from each width to the next, SiLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def batch(rows: Tensor, rng: torch.Generator) -> Tensor:
    """BATCH random rows."""
    return rows[torch.randint(len(rows), (BATCH,), generator=rng)]


def normal(n: int, width: int, rng: torch.Generator) -> Tensor:
    """(n, width) of N(0, 1)."""
    return torch.randn(n, width, generator=rng)


__all__: Sequence[str] = ["BATCH", "Rival", "batch", "normal", "perceptron"]
