"""What the streams of sound share: their rate and their level."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.modalities.audio_value import Audio

Samples = NDArray[np.floating[Any]]
"""(n,), one channel."""

RATE = 16_000
"""Samples a second."""
PEAKS = (-12.0, -3.0)
"""Lowest and highest peak, dB of full scale."""


def levelled(samples: Samples, rng: np.random.Generator) -> Audio:
    """A sound with a random peak within PEAKS."""
    peak = 10 ** (rng.uniform(*PEAKS) / 20)
    return as_audio(samples * (peak / np.abs(samples).max()))


def as_audio(samples: Samples) -> Audio:
    """Samples in [-1, 1] → a sound at RATE."""
    return Audio(samples.astype(np.float32)[None], RATE)
