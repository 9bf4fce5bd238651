"""Random numbers for sampling: float64, made on the generator's device so that seeds are portable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from modaloom.core.counter_rng import counter_noise
from modaloom.core.rng import derive


def uniforms(*shape: int, generator: torch.Generator) -> Tensor:
    """float64 U[0, 1)."""
    return torch.rand(*shape, dtype=torch.float64, device=generator.device, generator=generator)


def prefix_uniforms(n: int, *shape: int, generator: torch.Generator) -> Tensor:
    """float64 (n, *shape) of U[0, 1) whose first positions (axis 1) do not depend on the number of positions.

    Neither do the numbers that `generator` makes afterwards: each sample has a generator of its own.
    """
    seeds = torch.randint(2**63 - 1, (n,), generator=generator, device=generator.device).tolist()
    return torch.stack([uniforms(*shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])


@dataclass(frozen=True)
class Noise:
    """The random numbers of a batch, with one generator per sample (or per `each` samples)."""

    generators: Sequence[torch.Generator]
    each: int = 1
    """Consecutive samples that share a generator; 1 makes a sample independent of the batch size."""
    draw: Callable[..., Tensor] = uniforms
    """`uniforms`, or `prefix_uniforms`, which makes a sample independent of how far its batch is padded."""

    def uniform(self, *shape: int) -> Tensor:
        """float64 (B, *shape) of U[0, 1), B = len(generators) × each."""
        return torch.cat([self.draw(self.each, *shape, generator=g) for g in self.generators])

    def normal(self, *shape: int) -> Tensor:
        """float64 (B, *shape) of N(0, 1)."""
        return torch.cat([normals(self.each, *shape, generator=g) for g in self.generators])


class Normals(Protocol):
    """The noise source of a stochastic sampler of signals."""

    def normal(self, *shape: int) -> Tensor:
        """(B, *shape) of N(0, 1)."""


class CounterNoise:
    """Normal noise of one signal as a function of position (`core.counter_rng`); each call is independent.

    Args:
        seed: of all calls.
        start: position of the signal along the first axis of what it is a stretch of.
        shared: part of the variance that all frames of a clip share, in [0, 1].
    """

    def __init__(self, seed: int, start: int = 0, shared: float = 0.0) -> None:
        self.seed, self.start, self.shared, self.calls = seed, start, shared, 0

    def normal(self, *shape: int) -> Tensor:
        """float32 (1, *shape) of N(0, 1), `shape` (C, *axes)."""
        self.calls += 1
        seed = derive(self.seed, self.calls)
        return shared_noise(seed, shape, start=self.start, shared=self.shared)[None]


def shared_noise(seed: int, shape: Sequence[int], *, start: int = 0, shared: float = 0.0) -> Tensor:
    """`counter_noise`; of a clip (C, T, H, W), all frames share this part of its variance."""
    own = counter_noise(seed, shape, start=start)
    if len(shape) < 4 or not shared:
        return own
    common = counter_noise(derive(seed, "shared"), (shape[0], 1, *shape[2:]))
    return own.mul_((1 - shared) ** 0.5).add_(common, alpha=shared**0.5)


def normals(*shape: int, generator: torch.Generator) -> Tensor:
    """float64 N(0, 1)."""
    return torch.randn(*shape, dtype=torch.float64, device=generator.device, generator=generator)
