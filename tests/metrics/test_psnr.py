"""PSNR against values worked out by hand."""

import numpy as np
import pytest

from modaloom.metrics.psnr import mse, psnr


def test_a_difference_of_a_tenth_is_20_db() -> None:
    a = np.zeros((4, 4))
    assert mse(a, a + 0.1) == pytest.approx(0.01)
    assert psnr(mse(a, a + 0.1)) == pytest.approx(20)


def test_the_peak_scales_with_the_values() -> None:
    assert psnr(0.01 * 255**2, peak=255) == pytest.approx(20)


def test_equal_arrays_are_at_the_ceiling() -> None:
    assert psnr(0.0) == 100


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match="shapes"):
        mse(np.zeros(2), np.zeros(3))
