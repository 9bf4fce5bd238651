"""Pairwise mutual information between streams, in bits, from likelihood bounds."""

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
"""Maximum total of samples over all pairs of streams: with many pairs, each gets fewer samples."""
MIN_SAMPLES = 20
"""Minimum number of samples per pair, if available."""


def mutual_information(
    model: Model,
    samples: Sequence[Sample],
    *,
    n: int = 200,
    seed: int = 0,
    exact: Exact = lambda one, other: None,
) -> Iterator[MutualInformation]:
    """Yield an estimate for every ordered pair of streams whose second stream the model can generate.

    I(A; B) is estimated from bounds on B and, separately, from bounds on A. The two estimates differ by the
    gaps of the bounds without and with the other stream. The unconditional bound is usually looser, so the
    estimates are mostly too large, the more so the more of the stream is independent of the other; of two
    estimates that disagree, the smaller is more accurate.

    Args:
        model: tokenizers and Loom.
        samples: held-out samples from the training distribution.
        n: maximum number of samples per pair, chosen by `seed` and key, ≥ 1; fewer if there are many pairs.
        seed: seed of the sample selection, the noise and the intervals.
        exact: (given, want) → exact mutual information in bits, or None if unknown.

    Raises:
        BadValue: n is below 1.
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
