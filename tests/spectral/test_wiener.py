"""Noise of a known level. Oracles: what is noise alone, what is far above it, and Wiener's gain by hand."""

import math

import pytest
import torch

from modaloom.spectral.wiener import wiener


def noise(sigma: float, n: int = 16_000) -> torch.Tensor:
    return sigma * torch.randn(n, generator=torch.Generator().manual_seed(0))


def test_noise_goes_and_what_is_loud_stays() -> None:
    alone = noise(0.02)
    assert float(wiener(alone, 0.02).square().mean() / alone.square().mean()) < 0.01
    tone = 0.3 * (0.2 * torch.arange(16_000)).sin()
    found = wiener(tone + alone, 0.02)
    assert float((found - tone).square().mean() / alone.square().mean()) < 0.05
    torch.testing.assert_close(wiener(tone, 1e-6), tone, atol=1e-4, rtol=0)


def test_a_first_frame_has_wieners_gain_of_two_percent_of_its_excess() -> None:
    sample = torch.zeros(128)
    sample[64] = 1.0
    sigma = 0.01
    prior = 0.02 * (1 / (sigma**2 * 192) - 1) * float(torch.hann_window(512)[256]) ** 2
    assert float(wiener(sample, sigma)[64]) == pytest.approx(prior / (1 + prior), rel=0.05)


@pytest.mark.parametrize("n", [1, 160, 1000])
def test_silence_and_short_sounds(n: int) -> None:
    assert not wiener(torch.zeros(n), 0.1).any()
    assert math.isfinite(float(wiener(torch.ones(n), 0.1).sum()))


def test_what_goes_on_is_believed_after_some_frames() -> None:
    tone = 0.02 * (0.2 * torch.arange(16_000)).sin()
    found = wiener(tone + noise(0.02), 0.02)[8_000:]
    assert float(found @ tone[8_000:] / (tone[8_000:] @ tone[8_000:])) > 0.85
