"""The information map: how many bits each stream tells about each other one."""

from collections.abc import Iterator, Sequence

from modaloom.core.errors import check_range
from modaloom.core.rng import generator
from modaloom.core.types import Sample
from modaloom.evaluation.baselines import pick
from modaloom.evaluation.estimate import average
from modaloom.evaluation.mutual_information import Exact, MutualInformation
from modaloom.loom.evaluation.bounds import Bounds
from modaloom.loom.model import Model

MAX_SAMPLES_TIMES_PAIRS = 2400
"""Most samples times pairs of streams: with many streams each pair gets fewer samples."""
MIN_SAMPLES = 20
"""Samples that a pair gets if there are."""


def mutual_information(
    model: Model,
    samples: Sequence[Sample],
    *,
    n: int = 200,
    seed: int = 0,
    exact: Exact = lambda one, other: None,
) -> Iterator[MutualInformation]:
    """Every pair of streams of which the second one can be wanted, as they are computed.

    I(A; B) is estimated from B's bounds and, apart from that, from A's. The two differ by how far the bounds
    are from the truth without and with the other stream. A stream is harder to predict from nothing, so the
    estimates are mostly too large, the more so the more of the stream has nothing to do with the other one;
    of two that disagree, the smaller is the better one.

    Args:
        samples: held-out samples of values, drawn as the training samples are.
        n: most samples a pair, chosen by `seed` and key; fewer where there are many pairs.
    """
    check_range("n", n, 1)
    pairs = [(given, want) for want in model.wanted for given in model.streams if given != want]
    each = min(n, max(MIN_SAMPLES, MAX_SAMPLES_TIMES_PAIRS // max(1, len(pairs))))
    bounds = Bounds(model, pick(samples, (), len(samples), seed), seed=seed)
    for given, want in pairs:
        found = bounds.pointwise(given, want, most=each)
        if found.rows:
            mi = average(found.pmi)
            within = mi.interval(generator(seed, "information", given, want, "interval"))
            entropy, known = float(found.alone.mean()), exact(given, want)
            yield MutualInformation(given, want, mi.value, within.low, within.high, entropy, known, mi.n)
