"""How well a model tells true pairs from shuffled ones, by its own bits: what any data can be asked."""

import math
from collections.abc import Mapping, Sequence
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
MAX_TIE_BITS = 1e-4
"""Bits by which two bounds differ by rounding alone: they are tied."""
NUM_NOISE_LEVELS = 4
"""Noise levels of a bound."""


@dataclass(frozen=True)
class Pairing:
    """Upper bounds on −log₂ p of n wanted values, each given m givens: its own first, then other samples'."""

    bits: Tensor
    """float64 (n, m)."""
    equal: Tensor
    """bool (n, m): whether givens have the codes of a sample's own. Nothing can tell those apart."""
    right: Tensor
    """bool (n, m): whether givens are those of the wanted value, be it another sample's."""

    @classmethod
    def of(cls, model: Model, direction: Direction, samples: Sequence[Sample], *, seed: int) -> "Pairing":
        """Of the first CANDIDATES samples, which compete with each other.

        A value meets the same noise whatever is given, so that bounds differ by what is given alone.
        """
        few = samples[:MAX_CANDIDATES]
        codes = {name: model.encode(name, [s.streams[name] for s in few]) for name in direction.streams}
        bits, equal, right = [], [], []
        for turn in range(len(few)):
            turned = {name: codes[name].roll(-turn, 0) for name in direction.given}
            noise = generator(seed, "pairs", direction.name)
            nats = model.loom.nelbo(
                {**codes, **turned}, direction.want, direction.given, generator=noise, points=NUM_NOISE_LEVELS
            )
            bits.append(torch.stack([*nats.values()]).sum(0).double().cpu() / math.log(2))
            equal.append(_same(turned, codes, direction.given))
            others = {name: codes[name].roll(-turn, 0) for name in direction.want}
            right.append(_same(others, codes, direction.want))
        return cls(*(torch.stack(columns, 1) for columns in (bits, equal, right)))

    def estimates(self) -> Estimates:
        """`pmi_bits`: bits that the true givens save over others'; `bits`: what is left with the true ones;
        `rank.top1` and `rank.mrr`: how often the true givens fit a value best among all m, and the mean
        reciprocal of their rank. Who is tied shares the ranks, so that a model that ignores what is given is
        right once in m."""
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
        others = self._others().nanmean()
        bits = {} if others.isnan() else {"bits": float(others)}
        return {"rank.top1": 1 / m, "rank.mrr": harmonic / m, "pmi_bits": 0.0, **bits}

    def ceiling(self) -> dict[str, float]:
        """Of a model that confuses nothing but equal givens, and those of equal values."""
        ranks = self._ranks(torch.where(self.equal | self.right, 0.0, 1.0))
        return {"rank.top1": float(ranks.top1.mean()), "rank.mrr": float(ranks.reciprocal.mean())}

    def _others(self) -> Tensor:
        """float64 (n,): mean bits with givens that are not the own ones; NaN where there are none."""
        return self.bits.masked_fill(self.equal, math.nan).nanmean(1)

    def _ranks(self, bits: Tensor) -> "_Ranks":
        behind = bits[:, :1] - bits
        tied = self.equal | self.right | (behind.abs() <= MAX_TIE_BITS)
        return _Ranks.of(((behind > 0) & ~tied).sum(1), tied.sum(1))


def _same(one: Mapping[str, Tensor], other: Mapping[str, Tensor], names: Sequence[str]) -> Tensor:
    """bool (n,): where the codes (n, L, Q) of all these streams are equal."""
    return torch.stack([(one[name] == other[name]).flatten(1).all(1).cpu() for name in names]).all(0)


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
