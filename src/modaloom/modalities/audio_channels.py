"""Fewer or more channels of a sound."""

from collections.abc import Mapping
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from modaloom.modalities.audio_value import Samples

HALF = sqrt(1 / 2)
"""-3 dB."""
Weights = NDArray[np.float64]
FRONT, REAR = np.hsplit(np.eye(6), [4])
IN_5_1: Mapping[int, Weights] = {
    5: np.eye(6)[:, [0, 1, 2, 4, 5]],
    6: np.eye(6),
    7: np.hstack([FRONT, HALF * REAR.sum(1, keepdims=True), REAR]),
    8: np.hstack([FRONT, HALF * REAR, HALF * REAR]),
}
"""Channels of 5.0, 5.1, 6.1 and 7.1 → weights (6, channels): rear and side ones are those of 5.1."""
FROM_5_1: Mapping[int, Weights] = {
    1: np.array([[HALF, HALF, 1, 0, 0.5, 0.5]]),
    2: np.array([[1, 0, HALF, 0, HALF, 0], [0, 1, HALF, 0, 0, HALF]]),
    6: np.eye(6),
}
"""Channels wanted → weights: ITU-R BS.775-3, annex 4, without the low-frequency channel."""
MIXES: Mapping[tuple[int, int], Weights] = {
    (1, 2): np.array([[1.0], [1.0]]),
    (1, 6): np.eye(6)[:, [2]],
    **{(n, wanted): last @ first for n, first in IN_5_1.items() for wanted, last in FROM_5_1.items()},
}
"""(channels, channels wanted) → weights."""


def mixed(samples: Samples, channels: int) -> Samples:
    """Samples (C, n) → (channels, n), by `MIXES`; where it has nothing, fewer channels are followed by silent
    ones, and the mean of more is in each. Weights are scaled to sum to at most 1: nothing exceeds [-1, 1].
    """
    have = len(samples)
    if have == channels:
        return samples
    usual = np.eye(channels, have) if have < channels else np.ones((channels, have))
    weights = MIXES.get((have, channels), usual)
    scaled = weights / np.maximum(1, weights.sum(1, keepdims=True))
    made: Samples = (scaled @ samples.astype(np.float64)).clip(-1, 1).astype(np.float32)
    return made
