"""Structural similarity of two pictures."""

import numpy as np
from numpy.typing import NDArray

WINDOW, SIGMA = 11, 1.5
"""The Gaussian window, pixels."""
K1, K2 = 0.01, 0.03
"""The paper's constants, in peaks."""


def ssim(a: NDArray[np.floating], b: NDArray[np.floating], *, peak: float = 1.0) -> float:
    """SSIM of two (H, W, C) pictures (Wang et al. 2004, eq. 13): 1 for the same ones, at least −1.

    The mean over channels and over all places where the window fits; it shrinks to an odd size that fits
    where a picture is smaller than it.
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape} differ")
    x, y = a.astype(np.float64), b.astype(np.float64)
    c1, c2 = (K1 * peak) ** 2, (K2 * peak) ** 2
    mean_x, mean_y = _blurred(x), _blurred(y)
    var_x, var_y = _blurred(x * x) - mean_x**2, _blurred(y * y) - mean_y**2
    both = _blurred(x * y) - mean_x * mean_y
    light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return float((light * (2 * both + c2) / (var_x + var_y + c2)).mean())


def _blurred(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted means of the windows that fit."""
    size = min(WINDOW, *((side - 1) // 2 * 2 + 1 for side in pixels.shape[:2]))
    rows, columns = (_windows(side, size) for side in pixels.shape[:2])
    means: NDArray[np.float64] = np.einsum("ih,hwc,jw->ijc", rows, pixels, columns, optimize=True)
    return means


def _windows(side: int, size: int) -> NDArray[np.float64]:
    """(side − size + 1, side): a window's weights at each of its places."""
    weights = np.exp(-0.5 * ((np.arange(size) - size // 2) / SIGMA) ** 2)
    places = np.zeros((side - size + 1, side))
    for place in range(len(places)):
        places[place, place : place + size] = weights / weights.sum()
    return places
