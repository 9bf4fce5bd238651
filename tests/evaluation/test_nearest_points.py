"""Nearest points."""

import torch

from modaloom.core.rng import generator
from modaloom.evaluation.nearest import nearest


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
