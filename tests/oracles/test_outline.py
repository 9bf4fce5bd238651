"""A picture's outline, against numpy's singular values and the maps that must not change it."""

import numpy as np
import pytest
import torch
from torch import Tensor

from modaloom.modalities.colours import outline


def pictures(n: int, channels: int = 3) -> Tensor:
    """Noise whose colours spread unevenly, with a tail to one side."""
    g = torch.Generator().manual_seed(n)
    axes = torch.randn(n, channels, channels, generator=g) * torch.tensor([0.4, 0.1, 0.05])[:channels]
    return torch.einsum("bij,bjhw->bihw", axes, torch.randn(n, channels, 8, 8, generator=g).exp())


def test_it_is_the_first_singular_vector_standardised():
    signal = pictures(5)
    for one, found in zip(signal.double().numpy(), outline(signal)):
        flat = one.reshape(3, -1) - one.reshape(3, -1).mean(1, keepdims=True)
        place = np.linalg.svd(flat, full_matrices=False)[2][0]
        place = place / place.std() * np.sign((place**3).sum())
        np.testing.assert_allclose(found.numpy().ravel(), place / 4, atol=1e-4)


def test_turned_scaled_and_shifted_colours_have_the_same_outline():
    signal = pictures(6)
    turn = torch.linalg.qr(torch.randn(6, 3, 3, generator=torch.Generator().manual_seed(1)))[0]
    moved = 0.3 * torch.einsum("bij,bjhw->bihw", turn, signal) - 0.2
    torch.testing.assert_close(outline(moved), outline(signal), atol=1e-4, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_two_colours_have_the_same_outline_whichever_they_are(channels):
    g = torch.Generator().manual_seed(2)
    cover = (torch.rand(1, 1, 16, 16, generator=g) < 0.2).float()
    ground, step = (torch.rand(9, channels, 1, 1, generator=g) * 2 - 1 for _ in range(2))
    found = outline(ground + cover * (step + step.sign() / 4))
    torch.testing.assert_close(found, found[:1].expand_as(found), atol=1e-4, rtol=0)
    assert found[0, 0][cover[0, 0] == 1].min() > 0 > found[0, 0][cover[0, 0] == 0].max()


def test_a_clip_has_that_of_its_frames_side_by_side():
    frames = pictures(3)
    clips = frames.reshape(3, 3, 2, 4, 8)
    torch.testing.assert_close(outline(clips).flatten(), outline(frames).flatten(), atol=1e-5, rtol=0)


def test_a_flat_picture_has_none():
    assert outline(torch.full((2, 3, 8, 8), 0.3)).abs().max() < 1e-3


def test_graphs_have_the_same_outline_without_eigenvectors(monkeypatch: pytest.MonkeyPatch) -> None:
    signal = torch.cat([pictures(20), torch.full((1, 3, 8, 8), 0.3)])
    with_vectors = outline(signal)
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    torch.testing.assert_close(outline(signal), with_vectors, rtol=0, atol=1e-4)
