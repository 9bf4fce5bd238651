"""Nearest points."""

import torch

from modaloom.core.rng import generator
from modaloom.evaluation.nearest import nearest, nearest_others


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


def test_no_point_is_its_own_neighbour():
    points = normal(50, 7)
    brute = torch.cdist(points.double(), points.double()).fill_diagonal_(torch.inf)
    found = nearest_others(points)
    assert torch.equal(found.index, brute.argmin(1))
    assert torch.allclose(found.distance.double(), brute.amin(1))
    assert nearest_others(points[:1]).distance.tolist() == [0]
