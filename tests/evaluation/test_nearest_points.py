"""Nearest points, and how new samples are."""

import pytest
import torch

from modaloom.core.rng import generator
from modaloom.evaluation.nearest import nearest, novelty


def normal(*shape):
    return torch.randn(*shape, generator=generator(0, "nearest", shape[0]))


def test_as_by_brute_force():
    points, among = normal(50, 7), normal(90, 7)
    brute = torch.cdist(points.double(), among.double())
    found = nearest(points, among)
    assert torch.equal(found.index, brute.argmin(1))
    assert torch.allclose(found.distance.double(), brute.amin(1))


def test_a_copy_is_at_distance_zero_exactly():
    among = 3 + normal(90, 7)
    found = nearest(among[:5], among)
    assert found.index.tolist() == [0, 1, 2, 3, 4]
    assert found.distance.max() == 0


def test_novelty_tells_copies_from_new_samples():
    train, real, new = normal(400, 5), normal(101, 5), normal(103, 5)
    assert novelty(train[:100], real, train) == 0
    assert novelty(real, real, train) == 1
    assert novelty(new, real, train) == pytest.approx(1, abs=0.2)
    assert novelty(2 * new, real, train) > 1.5
    assert novelty(new, train[:50], train) is None
