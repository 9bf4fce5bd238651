"""Variety: how much answers to the same input differ from each other, beside real values."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.evaluation.estimate import Statistic
from modaloom.evaluation.judge import Estimates

MIN_PAIRS = 10
"""Pairs of samples with equal inputs below which variety is not estimated."""


@dataclass(frozen=True)
class Variety:
    """Variety of the answers to samples, of which some have equal inputs.

    Args:
        inputs: (n,), equal for samples with equal inputs.
        real: float (n, D), features of the true values.
    """

    inputs: Sequence[Hashable]
    real: Tensor

    def estimates(self, drawn: Tensor) -> Estimates:
        """Returns `variety` of answers with features (n, D): the mean squared distance of answers to equal
        inputs, divided by that of the true values: the ratio of the variances given the input. 1: as varied
        as the data, 0: the input's only answer.

        Left out if fewer than `MIN_PAIRS` samples have a partner with an equal input, or if the true values
        of equal inputs do not differ.
        """
        first, second = self._pairs()
        squared = [(points[first] - points[second]).square().sum(1) for points in (drawn, self.real)]
        if len(first) < MIN_PAIRS or not float(squared[1].sum()) > 0:
            return {}
        return {"variety": Statistic(torch.stack(squared, 1).double(), _ratio_of_means)}

    def _pairs(self) -> tuple[list[int], list[int]]:
        """Every sample that has a partner, and its partner: the next sample with an equal input."""
        groups: dict[Hashable, list[int]] = {}
        for i, name in enumerate(self.inputs):
            groups.setdefault(name, []).append(i)
        pairs = [
            (i, j)
            for group in groups.values()
            if len(group) > 1
            for i, j in zip(group, [*group[1:], group[0]])
        ]
        return [i for i, _ in pairs], [j for _, j in pairs]


def _ratio_of_means(squared: Tensor) -> Tensor:
    drawn, real = squared.mean(1).unbind(-1)
    return drawn / real
