"""Scale-invariant signal-to-distortion ratio, by its closed form."""

import numpy as np
import pytest

from modaloom.metrics.si_sdr import si_sdr

SINE, COSINE = np.sin(2 * np.pi * np.arange(1000) / 50), np.cos(2 * np.pi * np.arange(1000) / 50)


@pytest.mark.parametrize("scale", [1.0, 0.01, -3.0])
def test_noise_at_a_right_angle_has_the_ratio_of_the_powers(scale: float) -> None:
    """ŝ = s + a·n with n ⊥ s of equal power: -20·log10(a), whatever the scale of ŝ."""
    for a in (0.1, 1.0, 5.0):
        assert si_sdr(scale * (SINE + a * COSINE), SINE) == pytest.approx(-20 * np.log10(a), abs=1e-9)


def test_the_ends_are_finite() -> None:
    assert si_sdr(0.5 * SINE, SINE) == pytest.approx(100)
    assert si_sdr(np.zeros(1000), SINE) == -100
    assert si_sdr(COSINE, SINE) == pytest.approx(-100)


def test_what_is_not_defined_is_refused() -> None:
    with pytest.raises(ValueError, match="zeros"):
        si_sdr(SINE, np.zeros(1000))
    with pytest.raises(ValueError, match="shapes"):
        si_sdr(SINE[1:], SINE)
