"""Novelty and coverage of samples, by distances of features, or by equality of values."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from modaloom.evaluation.estimate import Estimate, Proportion, Statistic
from modaloom.evaluation.judge import Estimates
from modaloom.evaluation.nearest import nearest

NEAR_QUANTILE = 0.05
"""Quantile of the held-out samples' distances to training samples; a generated sample that is no farther
counts as a near duplicate."""
NUM_NEIGHBOURS = 5
"""k of the k-nearest-neighbour ball around each real sample in `coverage`; the paper's choice."""

MAX_REAL_REPEATS = 0.5
"""Fraction of held-out values in the training data from which on `verbatim` is uninformative."""


@dataclass(frozen=True)
class Memorization:
    """Memorization by distances: features of real held-out samples (n, D) and of training samples (N, D)."""

    real: Tensor
    train: Tensor

    def estimates(self, drawn: Tensor) -> Estimates:
        """Returns metrics of n generated samples (n, D), one for each real sample.

        `novelty`: median distance to the nearest training sample, divided by that of real held-out samples:
        about 1 for new samples, 0 for copies. `near_duplicates`: fraction of samples that are no farther from
        a training sample than the `NEAR_QUANTILE` quantile of the real ones. `coverage`: fraction of real
        samples with a generated one within the distance of their `NUM_NEIGHBOURS`-th nearest real neighbour
        (Naeem et al. 2020, arXiv 2002.09797, eq. 4).

        `novelty` and `near_duplicates` are left out if most real samples are copies themselves, `coverage` if
        there are too few.
        """
        estimates: dict[str, Estimate] = {}
        if float(self.usual.median()) > 0:
            here = nearest(drawn, self.train).distance
            estimates["novelty"] = Statistic(torch.stack([here, self.usual], 1), _median_ratio)
            estimates["near_duplicates"] = Proportion(here <= self.usual.quantile(NEAR_QUANTILE))
        if len(self.real) > NUM_NEIGHBOURS:
            estimates["coverage"] = Proportion(covered(drawn, self.real))
        return estimates

    @cached_property
    def usual(self) -> Tensor:
        """(n,): distances of the real samples to their nearest training samples."""
        return nearest(self.real, self.train).distance


@dataclass(frozen=True)
class Repetition:
    """Memorization by equality: identity keys of real held-out values and of training values."""

    real: Sequence[bytes]
    train: Set[bytes]

    def estimates(self, drawn: Sequence[bytes]) -> Estimates:
        """Returns `verbatim`: the fraction of generated values that are in the training data.

        Left out if `MAX_REAL_REPEATS` or more of the real values are: values then repeat by chance.
        """
        by_chance = float(self._known(self.real).mean()) >= MAX_REAL_REPEATS
        return {} if by_chance else {"verbatim": Proportion(self._known(drawn))}

    def _known(self, names: Sequence[bytes]) -> Tensor:
        return torch.tensor([float(name in self.train) for name in names])


def covered(drawn: Tensor, real: Tensor, *, neighbours: int = NUM_NEIGHBOURS) -> Tensor:
    """bool (n,): whether a generated sample is within the distance of the k-th nearest other real sample."""
    between = torch.cdist(real, real).fill_diagonal_(torch.inf)
    radius = between.kthvalue(neighbours, dim=1).values
    return torch.cdist(real, drawn).amin(1) <= radius


def _median_ratio(distances: Tensor) -> Tensor:
    here, usual = distances.median(1).values.unbind(-1)
    return here / usual
