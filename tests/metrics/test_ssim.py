"""SSIM against a loop over its windows, and values worked out by hand."""

import tracemalloc

import numpy as np
import pytest

from modaloom.metrics.ssim import ssim


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def by_loops(a, b, size):
    """Wang et al. 2004, eq. 13, window by window."""
    near = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * 1.5**2))
    weights = np.outer(near, near) / near.sum() ** 2
    found = []
    for i in range(a.shape[0] - size + 1):
        for j in range(a.shape[1] - size + 1):
            for c in range(a.shape[2]):
                x, y = a[i : i + size, j : j + size, c], b[i : i + size, j : j + size, c]
                mx, my = (weights * x).sum(), (weights * y).sum()
                vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
                both = (weights * (x - mx) * (y - my)).sum()
                light = (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
                found.append(light * (2 * both + 9e-4) / (vx + vy + 9e-4))
    return np.mean(found)


@pytest.mark.parametrize(("shape", "size"), [((16, 13, 3), 11), ((8, 20, 1), 7), ((5, 5, 3), 5)])
def test_as_by_loops(shape, size):
    a = noise(*shape)
    b = 0.7 * a + 0.3 * noise(*shape, seed=1)
    assert ssim(a, b) == pytest.approx(by_loops(a, b, size), abs=1e-9)


def test_the_same_picture_and_a_shift_of_a_flat_one():
    a = noise(16, 16, 3)
    assert ssim(a, a) == pytest.approx(1)
    flat = np.full((16, 16, 3), 0.25)
    assert ssim(flat, flat + 0.25) == pytest.approx((2 * 0.125 + 1e-4) / (0.0625 + 0.25 + 1e-4))


def test_the_peak_scales_with_the_values():
    a, b = noise(16, 16, 1), noise(16, 16, 1, seed=1)
    assert ssim(255 * a, 255 * b, peak=255) == pytest.approx(ssim(a, b))


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shapes"):
        ssim(noise(4, 4, 3), noise(4, 5, 3))


def test_as_scikit_images():
    """scikit-image's Gaussian windows, on the places where they fit."""
    metrics = pytest.importorskip("skimage.metrics")
    a = noise(40, 57, 3)
    b = 0.7 * a + 0.3 * noise(40, 57, 3, seed=1)
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    _, places = metrics.structural_similarity(a, b, channel_axis=2, full=True, **options)
    assert ssim(a, b) == pytest.approx(places[5:-5, 5:-5].mean(), abs=1e-9)


def test_memory_is_linear_in_the_pixels():
    """A dense window matrix of one side of 20,000 pixels would take 3.2 GB."""
    a = np.full((16, 20_000, 1), 0.5, np.float32)
    tracemalloc.start()
    assert ssim(a, a) == pytest.approx(1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 8 * a.size
