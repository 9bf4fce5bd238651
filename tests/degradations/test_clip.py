"""Clipping, by hand."""

import torch

from modaloom.degradations.clip import clip, clipped


def test_magnitudes_above_a_part_of_the_largest_are_cut() -> None:
    found = clip(torch.tensor([[0.1, -0.8, 0.5, 0.3]]), level=0.5)
    torch.testing.assert_close(found, torch.tensor([[0.1, -0.4, 0.4, 0.3]]))


def test_tops_and_bottoms_are_told_and_a_constant_has_none() -> None:
    top, bottom = clipped(torch.tensor([[0.1, -0.4, 0.5, 0.5, -0.4]]))
    assert top.tolist() == [[False, False, True, True, False]]
    assert bottom.tolist() == [[False, True, False, False, True]]
    assert not any(found.any() for found in clipped(torch.full((1, 9), 0.5)))
