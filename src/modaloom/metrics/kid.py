"""Kernel distance of two samples: how far generated features are from real ones."""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]
"""(n, D): a row for each sample."""


def kid(a: Features, b: Features) -> float:
    """The unbiased estimate of MMD² with the kernel of `polynomial`; 0 in the mean over equal distributions.

    Bińkowski et al. 2018 (arXiv 1801.01401), §4; Gretton et al. 2012 (JMLR 13), eq. 3: no row is compared
    with itself. It may therefore be negative, and it needs no correction for the number of rows, which FID
    does. Raises `ValueError` unless both have the same D and two rows or more.
    """
    if a.ndim != 2 or a.shape[1:] != b.shape[1:] or min(len(a), len(b)) < 2:
        raise ValueError(f"features {a.shape} and {b.shape}; both must be (n, D), with n of 2 or more")
    a, b = a.astype(np.float64), b.astype(np.float64)
    return _within(a) + _within(b) - 2 * float(polynomial(a, b).mean())


def polynomial(a: Features, b: Features) -> Features:
    """(xᵀy / D + 1)³ for every row x of `a` and y of `b`: (n, m). It compares moments up to the third."""
    kernel: Features = (a @ b.T / a.shape[1] + 1) ** 3
    return kernel


def _within(x: Features) -> float:
    """The mean kernel of two different rows."""
    kernel = polynomial(x, x)
    return float((kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1)))
