"""Folding, and what a code can see."""

import numpy as np
import pytest
import torch

from modaloom.networks import conv


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_unfold_inverts_fold(axes: int) -> None:
    x = torch.randn(2, 3, *(4, 6, 8)[:axes])
    assert torch.equal(conv.unfold(conv.fold(x)), x)


def test_fold_takes_blocks_of_two_by_two() -> None:
    x = np.arange(2 * 3 * 4 * 6.0).reshape(2, 3, 4, 6)
    blocks = x.reshape(2, 3, 2, 2, 3, 2).transpose(0, 1, 3, 5, 2, 4).reshape(2, 12, 2, 3)
    assert torch.equal(conv.fold(torch.tensor(x)), torch.tensor(blocks))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_decoder_mirrors_encoder(axes: int) -> None:
    x = torch.randn(2, 3, *[8] * axes)
    z = conv.encoder(3, (8, 16), 5, axes=axes)(x)
    assert z.shape == (2, 5, *[2] * axes)
    assert conv.decoder(3, (8, 16), 5, axes=axes)(z).shape == x.shape


def test_a_code_does_not_see_the_far_corner() -> None:
    torch.manual_seed(0)
    encoder = conv.encoder(3, (8, 8, 8), 4, axes=2)
    for p in encoder.parameters():
        torch.nn.init.normal_(p)
    x = torch.randn(1, 3, 32, 32)
    other = x.clone()
    other[..., -1, -1] += 1
    changed = (encoder(x) - encoder(other)).abs().amax(1)[0]
    assert changed[-1, -1] > 0
    assert changed[0, 0] == 0
