"""Peak signal-to-noise ratio."""

import math

import numpy as np
from numpy.typing import NDArray


def mse(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Mean squared error of two arrays, in float64. Raises `ValueError` unless their shapes are equal."""
    if a.shape != b.shape:
        raise ValueError(f"shapes are {a.shape} and {b.shape}; they must be equal")
    return float(np.mean(np.square(a.astype(np.float64) - b.astype(np.float64))))


def psnr(error: float, *, peak: float = 1.0, ceiling: float = 100.0) -> float:
    """10·log10(peak² / error) in dB of a mean squared error, at most `ceiling` so that means stay finite."""
    return ceiling if error <= 0 else min(ceiling, 10 * math.log10(peak * peak / error))
