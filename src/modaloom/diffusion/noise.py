"""Random numbers in float64, on the generator's device: a seed means the same on any other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from modaloom.core.counter_rng import counter_noise
from modaloom.core.rng import derive


@dataclass(frozen=True)
class Noise:
    """The randomness of a batch: a sample draws from its own generator, whatever stands beside it."""

    generators: Sequence[torch.Generator]
    each: int = 1
    """Consecutive samples that share a generator: 1 keeps samples independent of the batch's size."""

    def uniform(self, *shape: int) -> Tensor:
        """float64 (B, *shape) of U[0, 1), B = len(generators) × each."""
        return torch.cat([uniforms(self.each, *shape, generator=g) for g in self.generators])

    def normal(self, *shape: int) -> Tensor:
        """float64 (B, *shape) of N(0, 1)."""
        return torch.cat([normals(self.each, *shape, generator=g) for g in self.generators])


class Normals(Protocol):
    """What a stochastic walk over signals asks for."""

    def normal(self, *shape: int) -> Tensor:
        """(B, *shape) of N(0, 1)."""


class CounterNoise:
    """The normal numbers of one signal by place: a tile has those of the whole; each call has others."""

    def __init__(self, seed: int) -> None:
        self.seed, self.calls = seed, 0

    def normal(self, *shape: int) -> Tensor:
        """float32 (1, *shape) of N(0, 1), `shape` (C, *axes)."""
        self.calls += 1
        return counter_noise(derive(self.seed, self.calls), shape)[None]


def uniforms(*shape: int, generator: torch.Generator) -> Tensor:
    """float64 U[0, 1)."""
    return torch.rand(*shape, dtype=torch.float64, device=generator.device, generator=generator)


def normals(*shape: int, generator: torch.Generator) -> Tensor:
    """float64 N(0, 1)."""
    return torch.randn(*shape, dtype=torch.float64, device=generator.device, generator=generator)
