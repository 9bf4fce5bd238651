"""The kinds of codebooks, by name."""

from collections.abc import Callable

from modaloom.core.errors import check_choice
from modaloom.quantizers.codebook import Codebook, EMACodebook, GradientCodebook
from modaloom.quantizers.growing import GrowingCodebook
from modaloom.quantizers.options import QuantizerConfig
from modaloom.quantizers.sim import SimCodebook
from modaloom.quantizers.unit import unit

CODEBOOKS: dict[str, Callable[[int, int, QuantizerConfig], Codebook]] = {
    "ema": lambda dim, size, o: EMACodebook(
        dim,
        size,
        decay=o.decay,
        dead_code_threshold=o.dead_code_threshold,
        max_restart_fraction=o.max_restart_fraction,
    ),
    "gradient": lambda dim, size, o: GradientCodebook(
        dim,
        size,
        decay=o.decay,
        dead_code_threshold=o.dead_code_threshold,
        max_restart_fraction=o.max_restart_fraction,
    ),
    "sphere": lambda dim, size, o: EMACodebook(
        dim,
        size,
        decay=o.decay,
        dead_code_threshold=o.dead_code_threshold,
        max_restart_fraction=o.max_restart_fraction,
        surface=unit,
    ),
    "sim": lambda dim, size, o: SimCodebook(dim, size, decay=o.decay),
}
"""(dim, size, options) → a codebook of all its codes."""


def build_codebook(dim: int, size: int, options: QuantizerConfig) -> Codebook:
    """The codebook that the options ask for, growing or not. Raises `BadValue`."""
    made = CODEBOOKS[check_choice("codebook", options.codebook, CODEBOOKS)](dim, size, options)
    return GrowingCodebook(made, options.growth) if options.growth.initial_codes else made
