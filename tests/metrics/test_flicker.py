"""Flicker against its definition."""

import numpy as np
import pytest

from modaloom.metrics.flicker import flicker


def test_a_constant_error_does_not_flicker_and_an_alternating_one_does() -> None:
    """±0.1 from frame to frame is a change of 0.2."""
    clip = np.random.default_rng(0).random((7, 4, 5, 3))
    sign = (-1.0) ** np.arange(7)[:, None, None, None]
    assert flicker(clip + 0.1, clip) == pytest.approx(0)
    assert flicker(clip + 0.1 * sign, clip) == pytest.approx(0.2)
    assert flicker(clip, clip) == flicker(clip[:1], clip[:1] + 1) == 0


def test_shapes_must_be_equal() -> None:
    with pytest.raises(ValueError, match="must be equal"):
        flicker(np.zeros((3, 2, 2, 3)), np.zeros((4, 2, 2, 3)))
