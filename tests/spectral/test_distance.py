"""The distance of waveforms by their spectrograms."""

import math

import pytest
import torch

from modaloom.core.rng import generator
from modaloom.spectral.distance import spectral_distance


def noise(*shape: int) -> torch.Tensor:
    return 0.1 * torch.randn(shape, generator=generator(0))


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_a_gain_has_a_closed_form(gain: float) -> None:
    """|log10 g| of every band, |g − 1| of every magnitude, of noise that is loud in all of them."""
    sound = noise(2, 1, 8192)
    expected = abs(math.log10(gain)) + abs(gain - 1)
    assert spectral_distance(gain * sound, sound).tolist() == pytest.approx([expected] * 2, rel=1e-4)


def test_a_turned_wave_sounds_the_same_and_a_later_one_nearly() -> None:
    sound = noise(1, 1, 16_384)
    other = spectral_distance(noise(1, 1, 32_768)[..., 16_384:], sound)
    assert spectral_distance(-sound, sound).abs() < 1e-6
    assert spectral_distance(sound.roll(1, -1), sound) < other / 3


def test_silence_is_compared_with_silence_and_has_gradients() -> None:
    silence = torch.zeros(1, 1, 4096)
    made = torch.zeros(1, 1, 4096, requires_grad=True)
    loud = spectral_distance(made, noise(1, 1, 4096))
    assert spectral_distance(silence, silence) == 0
    assert loud > 1
    (gradient,) = torch.autograd.grad(spectral_distance(made, silence) + loud, made)
    assert gradient.isfinite().all()
