"""Mismatched pairs: outliers of the pointwise mutual information between a sample's streams."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from modaloom.core.types import Sample
from modaloom.loom.evaluation.bounds import Bounds
from modaloom.loom.model import Model

NUM_NOISE_LEVELS = 8
"""Noise levels per bound; more do not change which samples are outliers."""
STD_PER_MAD = 1.4826
"""Ratio of standard deviation to median absolute deviation of a normal distribution."""


@dataclass(frozen=True)
class Suspect:
    """A pair of streams of one sample, with its outlier score."""

    key: str
    streams: tuple[str, str]
    score: float
    """Robust z-score, the larger one of both directions: 0 is typical, −5 is very unlikely by chance."""
    bits: Mapping[str, float]
    """Direction → PMI in bits; negative: the condition makes the value less likely than unconditionally."""


def suspects(model: Model, samples: Sequence[Sample], *, seed: int = 0) -> list[Suspect]:
    """Rank the samples that have a pair by their worst pair, most suspicious first.

    The statistic is the PMI log₂ p(b | a) − log₂ p(b) from the model's bounds, in the directions that the
    model can generate. It is standardized per direction by median and median absolute deviation, which are
    robust to a few mismatches. A direction whose median PMI is below its spread cannot reveal a mismatch and
    is ignored. A mismatch shows in both directions, so a pair gets the larger of its two scores: an outlier
    in one direction only is new (in its words, for example), not mismatched.
    """
    bounds = Bounds(model, samples, seed=seed, points=NUM_NOISE_LEVELS)
    worst: dict[str, Suspect] = {}
    for streams in combinations(model.streams, 2):
        for suspect in _of_pair(bounds, streams):
            if suspect.key not in worst or suspect.score < worst[suspect.key].score:
                worst[suspect.key] = suspect
    return sorted(worst.values(), key=lambda suspect: suspect.score)


def _of_pair(bounds: Bounds, streams: tuple[str, str]) -> Iterator[Suspect]:
    one, other = streams
    found = {
        f"{given}->{want}": bounds.pointwise(given, want)
        for given, want in ((one, other), (other, one))
        if want in bounds.model.wanted
    }
    counted = {
        name: pointwise for name, pointwise in found.items() if pointwise.rows and telling(pointwise.pmi)
    }
    if not counted:
        return
    scores = torch.stack([unusual(pointwise.pmi) for pointwise in counted.values()]).amax(0)
    rows = next(iter(counted.values())).rows
    for i, row in enumerate(rows):
        bits = {name: float(pointwise.pmi[i]) for name, pointwise in counted.items()}
        yield Suspect(bounds.samples[row].key, streams, float(scores[i]), bits)


def unusual(values: Tensor) -> Tensor:
    """Robust z-scores (n,): distance from the median in units of `spread`."""
    return (values - values.median()) / spread(values).clamp_min(1e-6)


def telling(values: Tensor) -> bool:
    """Whether the median exceeds the spread."""
    return bool(values.median() > spread(values))


def spread(values: Tensor) -> Tensor:
    """Robust standard deviation of (n,) values, from the median absolute deviation."""
    return STD_PER_MAD * (values - values.median()).abs().median()
