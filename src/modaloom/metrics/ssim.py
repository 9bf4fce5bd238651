"""Structural similarity (SSIM) of two images."""

import numpy as np
from numpy.typing import NDArray

WINDOW, SIGMA = 11, 1.5
"""Size and standard deviation of the Gaussian window, pixels."""
K1, K2 = 0.01, 0.03
"""The paper's constants, relative to the peak value."""


def ssim(a: NDArray[np.floating], b: NDArray[np.floating], *, peak: float = 1.0) -> float:
    """SSIM of two (H, W, C) images (Wang et al. 2004, eq. 13), in [−1, 1]; 1 for equal images.

    The mean over channels and all valid window positions; for images smaller than the window it shrinks to an
    odd size that fits. Raises `ValueError` unless the shapes are equal.
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes are {a.shape} and {b.shape}; they must be equal")
    x, y = a.astype(np.float64), b.astype(np.float64)
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    mean_x, mean_y = _filter(x), _filter(y)
    var_x, var_y = _filter(x * x) - mean_x**2, _filter(y * y) - mean_y**2
    covariance = _filter(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float((luminance * (2 * covariance + c2) / (var_x + var_y + c2)).mean())


def _filter(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Window-weighted means at all valid positions; the window is separable: each axis is filtered alone."""
    size = min(WINDOW, *((side - 1) // 2 * 2 + 1 for side in pixels.shape[:2]))
    weights = np.exp(-0.5 * ((np.arange(size) - size // 2) / SIGMA) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        places = pixels.shape[axis] - size + 1
        means = np.zeros_like(pixels[_slice(axis, 0, places)])
        for offset, weight in enumerate(weights):
            means += weight * pixels[_slice(axis, offset, places)]
        pixels = means
    return pixels


def _slice(axis: int, start: int, length: int) -> tuple[slice, ...]:
    """Indexes `length` positions of an axis."""
    return (slice(None),) * axis + (slice(start, start + length),)
