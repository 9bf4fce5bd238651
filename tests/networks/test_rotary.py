"""Rotary positions: a rotation of channel pairs, of which products tell the difference of positions only."""

import torch

from modaloom.networks.rotary import BASE, Rotary


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_it_is_a_product_of_complex_numbers():
    """(a + bi)·exp(i·position·BASE^(−2j/C)), pair j being channels j and j + C/2."""
    x, positions = normal(2, 3, 5, 8), torch.tensor([0, 1, 2, 7, 40])
    turned = Rotary.of(positions.double(), 8)(x)
    frequencies = BASE ** (-2 * torch.arange(4, dtype=torch.float64) / 8)
    turns = torch.polar(torch.ones(5, 4, dtype=torch.float64), positions[:, None] * frequencies)
    expected = torch.complex(x[..., :4], x[..., 4:]) * turns
    torch.testing.assert_close(turned, torch.cat([expected.real, expected.imag], -1), atol=1e-6, rtol=1e-6)


def test_products_depend_on_the_difference_of_positions_only():
    q, k, positions = normal(1, 1, 6, 8), normal(1, 1, 6, 8, seed=1), torch.arange(6.0, dtype=torch.float64)
    near, far = (Rotary.of(positions + shift, 8) for shift in (0, 1000))
    here = near(q) @ near(k).mT
    torch.testing.assert_close(far(q) @ far(k).mT, here, atol=1e-4, rtol=1e-4)
    assert (near(q) @ k.mT - here).abs().max() > 0.1


def test_position_0_is_the_identity_and_tokens_can_be_picked():
    x, rotary = normal(1, 2, 4, 6), Rotary.of(torch.tensor([0, 3, 5, 9]), 6)
    assert torch.equal(rotary(x)[:, :, 0], x[:, :, 0])
    some = torch.tensor([3, 1, 1])
    assert torch.equal(rotary[some](x[:, :, some]), rotary(x)[:, :, some])
