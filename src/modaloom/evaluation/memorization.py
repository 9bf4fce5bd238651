"""Whether draws are new, and whether they are as varied as data: by distances, or by being the same."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from modaloom.evaluation.estimate import Estimate, Proportion, Statistic
from modaloom.evaluation.judge import Estimates
from modaloom.evaluation.nearest import nearest

NEAR_QUANTILE = 0.05
"""Share of real held-out samples that lie as near to a training sample as a draw that counts as a copy."""
NUM_NEIGHBOURS = 5
"""Real samples in the ball around a real sample that a draw has to fall into; the paper's choice."""

MAX_REAL_REPEATS = 0.5
"""Share of real held-out values in the training data from which on it says nothing that a draw is there."""


@dataclass(frozen=True)
class Memorization:
    """What draws are compared with: real held-out points (n, D) and training points (N, D)."""

    real: Tensor
    train: Tensor

    def estimates(self, drawn: Tensor) -> Estimates:
        """Of n draws (n, D), one for each real point.

        `novelty`: median distance to the nearest training point, over that of real held-out ones: about 1 for
        new samples, 0 for copies. `near_duplicates`: the share of draws no farther from a training point than
        the `NEAR_QUANTILE` nearest of the real ones. `coverage`: the share of real points with a draw among
        their `NUM_NEIGHBOURS` nearest real ones (Naeem et al. 2020, arXiv 2002.09797, eq. 4).

        What cannot be told is left out: the first two where real samples are copies themselves, the last one
        where there are too few.
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
        """(n,): the real points' distances to their nearest training points."""
        return nearest(self.real, self.train).distance


@dataclass(frozen=True)
class Repetition:
    """What draws without distances are compared with: names of real held-out values and of training ones."""

    real: Sequence[bytes]
    train: Set[bytes]

    def estimates(self, drawn: Sequence[bytes]) -> Estimates:
        """`verbatim`: the share of draws that stand in the training data.

        Left out where half of the real ones do: they repeat by chance, and so may draws.
        """
        by_chance = float(self._known(self.real).mean()) >= MAX_REAL_REPEATS
        return {} if by_chance else {"verbatim": Proportion(self._known(drawn))}

    def _known(self, names: Sequence[bytes]) -> Tensor:
        return torch.tensor([float(name in self.train) for name in names])


def covered(drawn: Tensor, real: Tensor, *, neighbours: int = NUM_NEIGHBOURS) -> Tensor:
    """bool (n,): whether some draw is at most as far from a real point as its k-th nearest other real one."""
    between = torch.cdist(real, real).fill_diagonal_(torch.inf)
    radius = between.kthvalue(neighbours, dim=1).values
    return torch.cdist(real, drawn).amin(1) <= radius


def _median_ratio(distances: Tensor) -> Tensor:
    here, usual = distances.median(1).values.unbind(-1)
    return here / usual
