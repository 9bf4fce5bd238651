"""Scale-invariant signal-to-distortion ratio."""

import math

import numpy as np
from numpy.typing import NDArray

CEILING = 100.0
"""Most that is told, so that means stay finite; and least, below 0."""


def si_sdr(estimate: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """10·log10(|αs|² / |αs − ŝ|²) in dB, α = ⟨ŝ, s⟩ / |s|², of arrays of one shape; -100 to 100.

    Le Roux et al. 2019 (arXiv 1811.02508), eq. 4, without taking the means away. Raises `ValueError` for
    other shapes and for a reference of zeros, for which it is not defined.
    """
    if estimate.shape != reference.shape or not reference.any():
        raise ValueError(f"shapes are {estimate.shape} and {reference.shape}; give equal ones, not all zeros")
    found, wanted = estimate.astype(np.float64).ravel(), reference.astype(np.float64).ravel()
    target = (found @ wanted) / (wanted @ wanted) * wanted
    power, error = float(target @ target), float(np.square(target - found).sum())
    if power == 0:
        return -CEILING
    return CEILING if error == 0 else max(-CEILING, min(CEILING, 10 * math.log10(power / error)))
