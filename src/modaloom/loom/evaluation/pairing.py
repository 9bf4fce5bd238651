"""Discrimination of true from shuffled pairs by the model's likelihood bounds; works for any data."""

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
from modaloom.loom.evaluation.encoded import Encoded

MAX_CANDIDATES = 50
"""Maximum number of candidates per sample, and of samples; the cost is their product."""
MAX_TIE_BITS = 1e-4
"""Bounds that differ by at most this many bits (rounding error) are tied."""
NUM_NOISE_LEVELS = 4
"""Noise levels per bound."""


@dataclass(frozen=True)
class Pairing:
    """Upper bounds on −log₂ p of n target values under m conditions: the own one, then other samples'."""

    bits: Tensor
    """float64 (n, m), in bits."""
    equal: Tensor
    """bool (n, m): whether a condition has the same codes as the sample's own, and is indistinguishable."""
    right: Tensor
    """bool (n, m): whether a condition belongs to a sample with the same target value."""

    @classmethod
    def of(cls, encoded: Encoded, direction: Direction, samples: Sequence[Sample], *, seed: int) -> "Pairing":
        """Compute the bounds for the first `MAX_CANDIDATES` samples, each under the conditions of all.

        The noise is the same for every condition, so bounds of a value differ by the condition only.

        Args:
            encoded: the model, with the samples' codes.
            direction: given and target streams.
            samples: samples that have all streams of the direction.
            seed: seed of the noise.
        """
        few = samples[:MAX_CANDIDATES]
        codes = {name: encoded.codes(name, few) for name in direction.streams}
        bits, equal, right = [], [], []
        for turn in range(len(few)):
            turned = {name: codes[name].roll(-turn, 0) for name in direction.given}
            noise = generator(seed, "pairs", direction.name)
            nats = encoded.model.loom.nelbo(
                {**codes, **turned}, direction.want, direction.given, generator=noise, points=NUM_NOISE_LEVELS
            )
            bits.append(torch.stack([*nats.values()]).sum(0).double().cpu() / math.log(2))
            equal.append(_same(turned, codes, direction.given))
            others = {name: codes[name].roll(-turn, 0) for name in direction.want}
            right.append(_same(others, codes, direction.want))
        return cls(*(torch.stack(columns, 1) for columns in (bits, equal, right)))

    def estimates(self) -> Estimates:
        """`pmi_bits`: mean reduction of the bound by the true condition against others; `bits`: mean bound
        under the true condition; `rank.top1` and `rank.mrr`: top-1 accuracy and mean reciprocal rank of the
        true condition among all m. Ties share their ranks, so a model that ignores the condition has a top-1
        accuracy of 1/m."""
        ranks = self._ranks(self.bits)
        return {
            "rank.top1": Proportion(ranks.top1),
            "rank.mrr": Proportion(ranks.reciprocal),
            "pmi_bits": average(self._others() - self.bits[:, 0]),
            "bits": average(self.bits[:, 0]),
        }

    def floor(self) -> dict[str, float]:
        """Metrics of a model that ignores the condition; its bits are those under others' conditions."""
        m = self.bits.shape[1]
        harmonic = sum(1 / rank for rank in range(1, m + 1))
        others = self._others().nanmean()
        bits = {} if others.isnan() else {"bits": float(others)}
        return {"rank.top1": 1 / m, "rank.mrr": harmonic / m, "pmi_bits": 0.0, **bits}

    def ceiling(self) -> dict[str, float]:
        """Metrics of a model that confuses only equal conditions and conditions of equal targets."""
        ranks = self._ranks(torch.where(self.equal | self.right, 0.0, 1.0))
        return {"rank.top1": float(ranks.top1.mean()), "rank.mrr": float(ranks.reciprocal.mean())}

    def _others(self) -> Tensor:
        """float64 (n,): mean bits under other conditions than the sample's own; NaN if there are none."""
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
    """Expected rank metrics over random orders of ties, float64 (n,)."""

    top1: Tensor
    reciprocal: Tensor

    @classmethod
    def of(cls, better: Tensor, equals: Tensor) -> "_Ranks":
        """From the counts of `better` and of tied candidates, the correct one included (`equals` ≥ 1)."""
        harmonic = torch.cat([torch.zeros(1), 1 / torch.arange(1, 1 + int((better + equals).max()))]).cumsum(
            0
        )
        top1 = (better == 0).double() / equals
        return cls(top1, (harmonic[better + equals] - harmonic[better]).double() / equals)
