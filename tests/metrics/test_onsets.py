"""F-measure of events: against the best matching of all, and closed forms."""

from itertools import combinations, permutations

import numpy as np
import pytest

from modaloom.metrics.onsets import onset_f1

ALL = (-1e9, 1e9)


def most_matched(found, true, tolerance):
    """The largest number of pairs, by trying all."""
    few, many = sorted((found, true), key=len)
    for n in range(len(few), 0, -1):
        for one in combinations(few, n):
            for other in permutations(many, n):
                if all(abs(a - b) <= tolerance for a, b in zip(one, other)):
                    return n
    return 0


@pytest.mark.parametrize("seed", range(60))
def test_no_matching_is_better(seed):
    rng = np.random.default_rng(seed)
    found, true = (sorted(rng.uniform(0, 2, rng.integers(0, 6)).tolist()) for _ in range(2))
    n = most_matched(found, true, 0.2)
    expected = 2 * n / (len(found) + len(true)) if n else 0.0
    assert onset_f1(found, true, 0.2, ALL) == pytest.approx(expected)


def test_an_event_matches_one_alone():
    assert onset_f1([0.5], [0.45, 0.55], 0.1, ALL) == pytest.approx(2 / 3)
    assert onset_f1([0.45, 0.55], [0.5], 0.1, ALL) == pytest.approx(2 / 3)
    assert onset_f1([0.4], [0.5], 0.1 + 1e-9, ALL) == 1
    assert onset_f1([], [], 0.1, ALL) == onset_f1([0.5], [], 0.1, ALL) == onset_f1([0.5], [1], 0.1, ALL) == 0


def test_what_the_ends_may_hide_is_not_missed_but_can_be_matched():
    assert onset_f1([1.0], [0.05, 1.0, 1.95], 0.1, (0.1, 1.9)) == 1
    assert onset_f1([0.05, 1.0, 1.95], [1.0], 0.1, (0.1, 1.9)) == 1
    assert onset_f1([0.15, 1.0], [0.06, 1.0], 0.1, (0.1, 1.9)) == 1
    assert onset_f1([0.15, 1.0], [1.0], 0.1, (0.1, 1.9)) == pytest.approx(2 / 3)
