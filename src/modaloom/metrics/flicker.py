"""Flicker of a clip against another one."""

import numpy as np
from numpy.typing import NDArray


def flicker(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Root mean square difference of the changes from frame to frame of two clips (T, H, W, C).

    A constant difference of the clips counts nothing, one that comes and goes counts in full. 0 for clips of
    one frame. Raises `ValueError` unless the shapes are equal.
    """
    if a.shape != b.shape:
        raise ValueError(f"shapes are {a.shape} and {b.shape}; they must be equal")
    changes = np.diff(a.astype(np.float64) - b.astype(np.float64), axis=0)
    return float(np.sqrt(np.square(changes).mean())) if changes.size else 0.0
