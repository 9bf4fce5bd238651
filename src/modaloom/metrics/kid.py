"""Kernel inception distance (KID) between two sets of features."""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]
"""(n, D): one row per sample."""


def kid(a: Features, b: Features) -> float:
    """Unbiased estimate of MMD² with the `polynomial` kernel; its mean is 0 for equal distributions.

    Bińkowski et al. 2018 (arXiv 1801.01401), §4; Gretton et al. 2012 (JMLR 13), eq. 3. It may be negative
    and, unlike FID, has no bias from the number of rows. Raises `ValueError` unless both have the same D and
    at least two rows.
    """
    if a.ndim != 2 or a.shape[1:] != b.shape[1:] or min(len(a), len(b)) < 2:
        raise ValueError(f"features are {a.shape} and {b.shape}; both must be (n, D) with n of at least 2")
    a, b = a.astype(np.float64), b.astype(np.float64)
    return _within(a) + _within(b) - 2 * float(polynomial(a, b).mean())


def polynomial(a: Features, b: Features) -> Features:
    """The kernel (xᵀy / D + 1)³ of every row x of `a` and y of `b`: (n, m)."""
    kernel: Features = (a @ b.T / a.shape[1] + 1) ** 3
    return kernel


def _within(x: Features) -> float:
    """The mean kernel over pairs of different rows."""
    kernel = polynomial(x, x)
    return float((kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1)))
