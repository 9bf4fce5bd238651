"""Training of quantizers on a benchmark's vectors."""

from math import log2

from vectors import Vectors

from modaloom.core.rng import generator
from modaloom.quantizers import Adaptive, GrowthConfig, Quantizer

BATCH = 2048
"""Vectors."""
INITIAL_CODES = 16
"""Codes at the start of growth."""


def train(quantizer: Quantizer, vectors: Vectors, *, batches: int, seed: int) -> Quantizer:
    """Train for `batches`; returned in eval mode."""
    for step in range(batches):
        quantizer(vectors.batch(BATCH, seed, step), generator=generator(seed, "quantizer", step))
    return quantizer.eval()


def growing(batches: int, size: int) -> GrowthConfig:
    """From INITIAL_CODES to `size` in three fifths of the batches."""
    return GrowthConfig(
        initial_codes=INITIAL_CODES, doubling_steps=max(1, round(0.6 * batches / log2(size / INITIAL_CODES)))
    )


def with_target(adaptive: Adaptive, target: float) -> Adaptive:
    """The same quantizers with another target distortion."""
    other = Adaptive(adaptive.residual, target, decay=adaptive.decay)
    other.load_state_dict(adaptive.state_dict())
    return other.eval()
