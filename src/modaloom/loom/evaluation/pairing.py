"""How well a model tells true pairs from shuffled ones, by its own bits: what any data can be asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.rng import generator
from modaloom.core.types import Sample
from modaloom.evaluation.estimate import Proportion, average
from modaloom.evaluation.judge import Estimates
from modaloom.evaluation.rows import Direction
from modaloom.loom.model import Model

MAX_CANDIDATES = 50
"""Most pairs that compete, and most samples that they compete for: the cost is their product."""
NUM_NOISE_LEVELS = 4
"""Noise levels of a bound."""


@dataclass(frozen=True)
class Pairing:
    """Upper bounds on −log₂ p of n wanted values, each given m givens: its own first, then other samples'."""

    bits: Tensor
    """float64 (n, m)."""
    equal: Tensor
    """bool (n, m): whether givens have the codes of a sample's own. Nothing can tell those apart."""

    @classmethod
    def of(cls, model: Model, direction: Direction, samples: Sequence[Sample], *, seed: int) -> "Pairing":
        """Of the first CANDIDATES samples, which compete with each other.

        A value meets the same noise whatever is given, so that bounds differ by what is given alone.
        """
        few = samples[:MAX_CANDIDATES]
        codes = {name: model.encode(name, [s.streams[name] for s in few]) for name in direction.streams}
        bits, equal = [], []
        for turn in range(len(few)):
            turned = {name: codes[name].roll(-turn, 0) for name in direction.given}
            noise = generator(seed, "pairs", direction.name)
            nats = model.loom.nelbo(
                {**codes, **turned}, direction.want, direction.given, generator=noise, points=NUM_NOISE_LEVELS
            )
            bits.append(torch.stack([*nats.values()]).sum(0).double().cpu() / math.log(2))
            same = [(turned[name] == codes[name]).flatten(1).all(1) for name in direction.given]
            equal.append(torch.stack(same).all(0))
        return cls(torch.stack(bits, 1), torch.stack(equal, 1))

    def estimates(self) -> Estimates:
        """`pmi_bits`: bits that the true givens save over others'; `bits`: what is left with the true ones;
        `rank.top1` and `rank.mrr`: how often the true givens fit a value best among all m, and the mean
        reciprocal of their rank."""
        ranks = self._ranks(self.bits)
        return {
            "rank.top1": Proportion(ranks.top1),
            "rank.mrr": Proportion(ranks.reciprocal),
            "pmi_bits": average(self._others() - self.bits[:, 0]),
            "bits": average(self.bits[:, 0]),
        }

    def floor(self) -> dict[str, float]:
        """Of a model that does not look at what is given; its bits are those with others' givens."""
        m = self.bits.shape[1]
        harmonic = sum(1 / rank for rank in range(1, m + 1))
        return {
            "rank.top1": 1 / m,
            "rank.mrr": harmonic / m,
            "pmi_bits": 0.0,
            "bits": float(self._others().nanmean()),
        }

    def ceiling(self) -> dict[str, float]:
        """Of a model that confuses equal givens alone."""
        ranks = self._ranks(torch.where(self.equal, 0.0, 1.0))
        return {"rank.top1": float(ranks.top1.mean()), "rank.mrr": float(ranks.reciprocal.mean())}

    def _others(self) -> Tensor:
        """float64 (n,): mean bits with givens that are not the own ones; NaN where there are none."""
        return self.bits.masked_fill(self.equal, math.nan).nanmean(1)

    def _ranks(self, bits: Tensor) -> "_Ranks":
        better = (bits < bits[:, :1]) & ~self.equal
        return _Ranks.of(better.sum(1), self.equal.sum(1))


@dataclass(frozen=True)
class _Ranks:
    """Expectations over the orders of equals, float64 (n,)."""

    top1: Tensor
    reciprocal: Tensor

    @classmethod
    def of(cls, better: Tensor, equals: Tensor) -> "_Ranks":
        """`equals` ≥ 1 rivals, the right one among them, behind `better` ones."""
        harmonic = torch.cat([torch.zeros(1), 1 / torch.arange(1, 1 + int((better + equals).max()))]).cumsum(
            0
        )
        top1 = (better == 0).double() / equals
        return cls(top1, (harmonic[better + equals] - harmonic[better]).double() / equals)
