"""Intervals hold the truth as often as they claim: summed exactly, or over many samples of a known law."""

from math import comb, sqrt

import pytest
import torch

from modaloom.core.rng import generator
from modaloom.evaluation.estimate import Minimum, Proportion, Statistic, Z, average

CHANCE = generator(0, "intervals", "unused")


def hits(k, n):
    return torch.arange(n) < k


def coverage(made, truth):
    found = [estimate.interval(generator(0, "intervals", i)) for i, estimate in enumerate(made)]
    return sum(one.low <= truth <= one.high for one in found) / len(found)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (353, 360)])
def test_wilson_solves_its_equation(k, n):
    """Its ends are the p for which |k/n − p| = z·√(p(1 − p)/n)."""
    one = Proportion(hits(k, n)).interval(CHANCE)
    for end in (one.low, one.high):
        assert abs(k / n - end) == pytest.approx(Z * sqrt(end * (1 - end) / n), abs=1e-8)
    assert one.low <= k / n <= one.high
    assert one.high - one.low > 1 / n


def test_a_proportions_coverage_summed_over_all_outcomes():
    """Averaged over p it is 95%; a single p may lie a little off, for outcomes are whole numbers."""
    n, inside = 50, []
    ends = [Proportion(hits(k, n)).interval(CHANCE) for k in range(n + 1)]
    for p in torch.linspace(0.1, 0.9, 81).tolist():
        chance = [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
        inside.append(sum(c for c, one in zip(chance, ends) if one.low <= p <= one.high))
    assert sum(inside) / len(inside) == pytest.approx(0.95, abs=0.005)
    assert min(inside) > 0.92
    assert 0.93 < inside[40] < 0.97  # p = 1/2


def test_parts_of_a_sample_that_err_together_do_not_count_as_samples():
    """Four slots a sample, right with the sample's own chance, 0.5 or 1."""
    trials, n, slots = 2000, 60, 4
    chance = generator(0, "intervals", "clusters")
    own = torch.where(torch.rand(trials, n, 1, generator=chance) < 0.5, 0.5, 1.0)
    scores = (torch.rand(trials, n, slots, generator=chance) < own).double()
    estimates = [Proportion(score.mean(1)) for score in scores]
    assert 0.93 < coverage(estimates, 0.75) < 0.97
    naive = [Proportion(score.flatten()) for score in scores]
    assert coverage(naive, 0.75) < 0.93
    cautious = [Proportion(score[:, 0]) for score in scores]
    widths = [f.interval(CHANCE).high - f.interval(CHANCE).low for f in (estimates[0], cautious[0])]
    assert widths[0] < 0.8 * widths[1]


def test_all_right_is_not_certain():
    assert Proportion(torch.ones(100)).interval(CHANCE).low == pytest.approx(1 / (1 + Z**2 / 100))
    assert Proportion(torch.full((100,), 0.5)).interval(CHANCE) == Proportion(hits(50, 100)).interval(CHANCE)


def test_a_unit_scales_the_share_and_its_interval():
    plain, scaled = Proportion(hits(3, 10)), Proportion(hits(3, 10), unit=2.0)
    assert scaled.value == 2 * plain.value
    assert scaled.interval(CHANCE).high == 2 * plain.interval(CHANCE).high


def test_a_mean_varies_as_its_standard_error_says():
    values = torch.randn(400, generator=generator(0, "intervals", "mean")) * 3 + 20
    one = average(values).interval(generator(0, "intervals", 0))
    error = Z * float(values.std(correction=0)) / 20
    assert one.high - one.low == pytest.approx(2 * error, rel=0.1)
    assert (one.high + one.low) / 2 == pytest.approx(float(values.mean()), abs=0.1 * error)


def test_a_means_coverage():
    """Of an exponential law's mean, which is skewed."""
    chance = generator(0, "intervals", "skewed")
    samples = -torch.rand(400, 100, generator=chance).log()
    assert 0.91 < coverage([average(one) for one in samples], 1.0) < 0.97


def test_whole_samples_are_drawn_again():
    """The two values of a sample are the same: their ratio's interval is a point, whatever is drawn."""
    values = torch.rand(50, 1, generator=generator(0, "intervals", "pairs")).expand(50, 2)
    ratio = Statistic(values, lambda drawn: drawn[..., 0].mean(1) / drawn[..., 1].mean(1))
    one = ratio.interval(generator(0, "intervals", 0))
    assert (one.low, ratio.value, one.high) == (1, 1, 1)


def test_nothing_to_score_is_left_out():
    some = torch.tensor([1.0, float("nan"), 0.0, 1.0])
    assert (Proportion(some).n, Proportion(some).value) == (3, pytest.approx(2 / 3))
    assert (average(some).n, average(some).value) == (3, pytest.approx(2 / 3))
    assert average(torch.stack([some, some], 1)[:, 0]).interval(CHANCE).high <= 1


def test_the_least_is_bounded_by_the_least_bounds():
    estimates = [Proportion(hits(k, 20)) for k in (12, 18, 9)]
    ends = [estimate.interval(CHANCE) for estimate in estimates]
    worst = Minimum(estimates)
    assert worst.value == 9 / 20
    assert worst.interval(CHANCE) == ends[2]
    assert worst.n == 20
