"""Estimates of metrics over n samples, with 95% confidence intervals."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

Z = 1.959964
"""97.5% quantile of the standard normal distribution."""
NUM_RESAMPLES = 1000
RESAMPLES_PER_CHUNK = 50
"""Bootstrap resamples in memory at a time."""


@dataclass(frozen=True)
class Interval:
    """A 95% confidence interval."""

    low: float
    high: float


class Estimate(ABC):
    """A statistic of independent samples."""

    @property
    @abstractmethod
    def n(self) -> int:
        """Number of samples."""

    @property
    @abstractmethod
    def value(self) -> float: ...

    @abstractmethod
    def interval(self, generator: torch.Generator) -> Interval:
        """Returns the 95% confidence interval; `generator` is the bootstrap's source of randomness."""


@final
class Proportion(Estimate):
    """Mean of scores in [0, 1], such as the fraction of correct slots of each sample.

    Wilson score interval (1927), which has a positive width even if all samples are correct. For fractional
    scores it uses the effective sample size n · p(1 − p) / variance (Korn & Graubard 1998), which is n for
    binary scores and at least n for any scores in [0, 1].

    Args:
        values: float (n,) in [0, 1]; NaN for samples without a score.
        unit: factor of the reported value and interval.
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
        # Rounding must not exclude p = 0 or p = 1, nor move an end out of [0, 1].
        return Interval(min(max(0.0, low), p) * self.unit, max(min(1.0, high), p) * self.unit)

    def _effective(self) -> float:
        p, variance = float(self._scored.mean()), float(self._scored.var(correction=0))
        return self.n * (p * (1 - p) / variance if variance > 0 else 1.0)


@final
class Statistic(Estimate):
    """Any statistic, with a percentile bootstrap interval over samples (Efron 1979).

    Args:
        values: float (n, …), one entry per sample; samples with a NaN are left out.
        of: (R, n, …) → (R,), the statistic of R resamples.
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
        drawn = drawn[drawn.isfinite()]  # a ratio is not finite if its denominator is 0 in a resample
        if not len(drawn):
            return Interval(self.value, self.value)
        low, high = drawn.double().quantile(drawn.new_tensor([0.025, 0.975]).double()).tolist()
        return Interval(min(low, self.value), max(high, self.value))


@final
class Minimum(Estimate):
    """Minimum of several estimates over the same samples; its bounds are the minima of theirs."""

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
    """Returns the mean of (n,) unbounded numbers as an estimate."""
    return Statistic(values.double(), lambda drawn: drawn.mean(1))


def _scored(values: Tensor) -> Tensor:
    return values[~values.reshape(len(values), -1).isnan().any(1)]
