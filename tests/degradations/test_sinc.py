"""Rates of signals over one axis. Oracle: sampled sines, whose values at any rate are known."""

import math

import pytest
import torch
from torch import Tensor

from modaloom.degradations.sinc import ZEROS, decimate, interpolate, kernel


def sine(n: int, cycles: float, step: int = 1) -> Tensor:
    """(1, n): `cycles` for each of the finest samples, of which every `step`-th is there."""
    return (2 * math.pi * cycles * step * torch.arange(n, dtype=torch.float64) + 0.3).sin()[None]


@pytest.mark.parametrize("factor", [2, 4])
def test_what_is_below_half_of_the_new_rate_stays_and_what_is_above_goes(factor: int) -> None:
    n, edge = 8000, 2 * ZEROS
    low, high = 0.49 / factor, 0.51 / factor
    small = decimate(sine(n, low), factor=factor)
    torch.testing.assert_close(
        small[:, edge:-edge], sine(n // factor, low, factor)[:, edge:-edge], atol=2e-4, rtol=0
    )
    assert float(decimate(sine(n, high), factor=factor)[:, edge:-edge].abs().max()) < 2e-4
    large = interpolate(sine(n // factor, low, factor), factor=factor)
    inside = slice(edge * factor, -edge * factor)
    torch.testing.assert_close(large[:, inside], sine(n, low)[:, inside], atol=4e-4, rtol=0)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("n", [1, 2, 7, 80, 1001])
def test_lengths_constants_and_the_input_are_kept(n: int, factor: int) -> None:
    noise = torch.randn(3, n, generator=torch.Generator().manual_seed(n))
    large = interpolate(noise, factor=factor)
    assert large.shape == (3, n * factor)
    torch.testing.assert_close(large[:, ::factor], noise)
    assert decimate(noise, factor=factor).shape == (3, -(-n // factor))
    for change in (decimate, interpolate):
        assert float((change(torch.full((1, n), 0.3), factor=factor) - 0.3).abs().max()) < 1e-6


def test_the_kernel_is_symmetric_and_every_phase_sums_to_its_share() -> None:
    weights = kernel(4)
    torch.testing.assert_close(weights, weights.flip(0))
    for phase in range(4):
        assert float(weights[phase::4].sum()) == pytest.approx(1 / 4)
