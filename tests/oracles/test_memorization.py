"""Copies and coverage, against their expectations in closed form."""

from math import prod

import pytest
import torch

from modaloom.core.rng import generator
from modaloom.evaluation.memorization import Memorization, Repetition, covered


def normal(name, *shape):
    return torch.randn(*shape, generator=generator(0, "originality", name))


def values(drawn, real, train):
    return {metric: estimate.value for metric, estimate in Memorization(real, train).estimates(drawn).items()}


TRAIN, REAL, NEW = normal("train", 400, 5), normal("real", 101, 5), normal("new", 101, 5)


def test_copies_are_told_from_new_samples():
    near_duplicates = values(TRAIN[:101], REAL, TRAIN)
    assert (near_duplicates["novelty"], near_duplicates["near_duplicates"]) == (0, 1)
    assert values(REAL, REAL, TRAIN) == {
        "novelty": 1,
        "near_duplicates": 6 / 101,
        "coverage": 1,
    }  # 6 up to the 5th %
    new = values(NEW, REAL, TRAIN)
    assert new["novelty"] == pytest.approx(1, abs=0.2)
    assert new["near_duplicates"] < 0.15
    assert values(2 * NEW, REAL, TRAIN)["novelty"] > 1.5


def test_a_half_of_copies_is_half():
    half = torch.cat([TRAIN[:50], REAL[:50] + 9])
    assert Memorization(REAL[:100], TRAIN).estimates(half)["near_duplicates"].value == 0.5


def test_where_real_samples_are_copies_or_few_nothing_is_said():
    assert values(NEW[:5], TRAIN[:5], TRAIN) == {}
    assert values(NEW[:50], TRAIN[:50], TRAIN).keys() == {"coverage"}


@pytest.mark.parametrize(("real", "drawn", "k"), [(20, 20, 1), (20, 20, 5), (12, 30, 3)])
def test_coverage_of_the_same_distribution(real, drawn, k):
    """A point is missed if its k nearest are all real: by symmetry ∏ (N − 1 − i) / (N − 1 + M − i), i < k."""
    missed = prod((real - 1 - i) / (real - 1 + drawn - i) for i in range(k))
    trials = 2000
    found = [
        covered(normal(f"d{i}", drawn, 2), normal(f"r{i}", real, 2), neighbours=k).float().mean()
        for i in range(trials)
    ]
    # A trial's share has a standard deviation below 0.15: four standard errors.
    assert float(torch.stack(found).mean()) == pytest.approx(1 - missed, abs=4 * 0.15 / trials**0.5)


def test_one_draw_again_and_again_covers_next_to_nothing():
    assert values(NEW[:1].expand(101, 5), REAL, TRAIN)["coverage"] < 0.15


def test_what_repeats_training_values_is_counted_unless_real_samples_do():
    train, new = frozenset([b"a", b"b"]), [b"c", b"d", b"e"]
    found = Repetition([*new, b"a"], train).estimates([b"a", b"b", b"x", b"a"])
    assert {metric: estimate.value for metric, estimate in found.items()} == {"verbatim": 0.75}
    assert Repetition([b"a", b"b", *new], train).estimates(new)["verbatim"].value == 0
    assert Repetition([b"a", b"c"], train).estimates(new) == {}
