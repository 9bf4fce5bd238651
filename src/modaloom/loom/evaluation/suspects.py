"""Pairs that look mismatched: streams of a sample that tell less about each other than is usual."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from modaloom.core.types import Sample
from modaloom.loom.evaluation.bounds import Bounds
from modaloom.loom.model import Model

NUM_NOISE_LEVELS = 8
"""Noise levels of a bound: less noise does not change who stands out."""
STD_PER_MAD = 1.4826
"""Standard deviation over median absolute deviation, of a normal distribution."""


@dataclass(frozen=True)
class Suspect:
    """A pair of one sample's streams."""

    key: str
    streams: tuple[str, str]
    score: float
    """Spreads from the usual, in the direction that has less against it: 0 is usual, −5 is hardly chance."""
    bits: Mapping[str, float]
    """Direction → pointwise information; below 0 the one makes the other less likely than nothing does."""


def suspects(model: Model, samples: Sequence[Sample], *, seed: int = 0) -> list[Suspect]:
    """Every sample that has a pair, by its worst pair, the most suspicious first.

    log₂ p(b | a) − log₂ p(b) by the model's bounds, in the directions that the model can draw. Each direction
    has its own usual value and spread (median and median absolute deviation, which a few wrong pairs do not
    move); one that usually tells less than its spread cannot show a mismatch, and does not count. A mismatch
    shows in both directions: what only one of them finds odd is new (in its words, say), not wrong.
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
    """Distances (n,) from the median, in spreads."""
    return (values - values.median()) / spread(values).clamp_min(1e-6)


def telling(values: Tensor) -> bool:
    """Whether the usual value is above 0 by more than the spread."""
    return bool(values.median() > spread(values))


def spread(values: Tensor) -> Tensor:
    """The standard deviation of (n,) values, without those that stand out."""
    return STD_PER_MAD * (values - values.median()).abs().median()
