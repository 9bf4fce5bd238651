"""A number that n samples score, and the interval that holds its true value 95 times of 100."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

Z = 1.959964
"""The normal distribution's 97.5% point."""
NUM_RESAMPLES = 1000
RESAMPLES_PER_CHUNK = 50
"""Resamples in memory."""


@dataclass(frozen=True)
class Interval:
    """Of 95%."""

    low: float
    high: float


class Estimate(ABC):
    """A statistic of samples that were drawn independently of each other."""

    @property
    @abstractmethod
    def n(self) -> int:
        """The samples that it is over."""

    @property
    @abstractmethod
    def value(self) -> float: ...

    @abstractmethod
    def interval(self, generator: torch.Generator) -> Interval:
        """What it would vary in over other samples; a bootstrap takes its chance from the generator."""


@final
class Proportion(Estimate):
    """The mean of what samples score between 0 and 1, such as the share of slots that each has right.

    Wilson's interval (1927), which never shrinks to a point where all samples are right. A sample that scores
    in parts tells more than a hit or a miss does: it counts as p(1 − p) / variance of them (Korn & Graubard
    1998, the effective sample size), which is n for hits and misses and at least n for anything in [0, 1].

    Args:
        values: float (n,) in [0, 1]; NaN where a sample has nothing to score.
        unit: what a mean of 1 stands for.
    """

    def __init__(self, values: Tensor, *, unit: float = 1.0) -> None:
        self.values, self.unit = values.double(), unit
        self._scored = _scored(self.values)

    @property
    def n(self) -> int:
        return len(self._scored)

    @property
    def value(self) -> float:
        return float(self._scored.mean()) * self.unit

    def interval(self, generator: torch.Generator) -> Interval:
        p, n = float(self._scored.mean()), self._effective()
        middle, spread = p + Z**2 / (2 * n), Z * (p * (1 - p) / n + (Z / (2 * n)) ** 2) ** 0.5
        low, high = ((middle + side * spread) / (1 + Z**2 / n) for side in (-1, 1))
        # Rounding must put neither a share of 0 or 1 outside nor an end below 0 or above 1.
        return Interval(min(max(0.0, low), p) * self.unit, max(min(1.0, high), p) * self.unit)

    def _effective(self) -> float:
        p, variance = float(self._scored.mean()), float(self._scored.var(correction=0))
        return self.n * (p * (1 - p) / variance if variance > 0 else 1.0)


@final
class Statistic(Estimate):
    """Any statistic; its interval is the percentile bootstrap's over whole samples (Efron 1979).

    Args:
        values: float (n, …): one entry a sample; those with a NaN are left out.
        of: (R, n, …) → (R,), the statistic of R sets of samples.
    """

    def __init__(self, values: Tensor, of: Callable[[Tensor], Tensor]) -> None:
        self.values, self.of = values, of
        self._scored = _scored(values)

    @property
    def n(self) -> int:
        return len(self._scored)

    @property
    def value(self) -> float:
        return float(self.of(self._scored[None])[0])

    def interval(self, generator: torch.Generator) -> Interval:
        index = torch.randint(self.n, (NUM_RESAMPLES, self.n), generator=generator)
        parts = (index[i : i + RESAMPLES_PER_CHUNK] for i in range(0, NUM_RESAMPLES, RESAMPLES_PER_CHUNK))
        drawn = torch.cat([self.of(self._scored[part]) for part in parts])
        drawn = drawn[drawn.isfinite()]  # a ratio to what is 0 in a resample has no value
        if not len(drawn):
            return Interval(self.value, self.value)
        low, high = drawn.double().quantile(drawn.new_tensor([0.025, 0.975]).double()).tolist()
        return Interval(min(low, self.value), max(high, self.value))


@final
class Minimum(Estimate):
    """The smallest of several figures of the same samples, its bounds the smallest of theirs."""

    def __init__(self, estimates: Sequence[Estimate]) -> None:
        self.estimates = estimates

    @property
    def n(self) -> int:
        return min(estimate.n for estimate in self.estimates)

    @property
    def value(self) -> float:
        return min(estimate.value for estimate in self.estimates)

    def interval(self, generator: torch.Generator) -> Interval:
        each = [estimate.interval(generator) for estimate in self.estimates]
        return Interval(min(one.low for one in each), min(one.high for one in each))


def average(values: Tensor) -> Statistic:
    """The mean of (n,) numbers of any size."""
    return Statistic(values.double(), lambda drawn: drawn.mean(1))


def _scored(values: Tensor) -> Tensor:
    return values[~values.reshape(len(values), -1).isnan().any(1)]
