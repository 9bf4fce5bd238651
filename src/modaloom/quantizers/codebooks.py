"""Codebooks by name."""

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
"""Name → (dim, size, options) → codebook."""


def build_codebook(dim: int, size: int, options: QuantizerConfig) -> Codebook:
    """The codebook of these options, growing if `options.growth` says so. Raises `BadValue`."""
    codebook = CODEBOOKS[check_choice("codebook", options.codebook, CODEBOOKS)](dim, size, options)
    return GrowingCodebook(codebook, options.growth) if options.growth.initial_codes else codebook
