"""The rotation of colours, beside vector arithmetic for each pixel."""

import math

import numpy as np
import torch

from modaloom.transforms import rotate_colours


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_colours_are_turned_about_the_grey_axis() -> None:
    signal = torch.rand(64, 3, 4, 5, generator=random(0)) - 0.5  # no turn leaves [-1, 1]
    turned = rotate_colours(signal, random(1))
    angles = 2 * math.pi * torch.rand(64, 1, 1, generator=random(1)).flatten()
    for one, back, angle in zip(signal, turned, angles.tolist()):
        for before, after in zip(one.flatten(1).T.numpy(), back.flatten(1).T.numpy()):
            grey, axis = before.mean(), np.full(3, 3**-0.5)
            chroma = before - grey
            expected = grey + chroma * math.cos(angle) + np.cross(axis, chroma) * math.sin(angle)
            np.testing.assert_allclose(after, expected, atol=1e-6)
    assert len(angles.unique()) == 64


def test_greys_stay_and_so_does_the_range() -> None:
    grey = torch.linspace(-1, 1, 8).expand(2, 3, 1, 8)
    torch.testing.assert_close(rotate_colours(grey, random(0)), grey)
    one = torch.rand(2, 1, 4, 4)
    assert torch.equal(rotate_colours(one, random(0)), one)
    corners = torch.tensor([[1.0, -1, -1], [1, 1, -1]])[..., None, None]
    assert rotate_colours(corners, random(0)).abs().max() <= 1
