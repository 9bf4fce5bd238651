"""The kinds of codebooks, by name."""

from collections.abc import Callable

from modaloom.core.errors import choose
from modaloom.quantizers.codebook import Codebook, EMACodebook, GradientCodebook
from modaloom.quantizers.growing import GrowingCodebook
from modaloom.quantizers.options import Options
from modaloom.quantizers.sim import SimCodebook
from modaloom.quantizers.unit import unit

CODEBOOKS: dict[str, Callable[[int, int, Options], Codebook]] = {
    "ema": lambda dim, size, o: EMACodebook(dim, size, decay=o.decay, dead=o.dead, revived=o.revived),
    "gradient": lambda dim, size, o: GradientCodebook(
        dim, size, decay=o.decay, dead=o.dead, revived=o.revived
    ),
    "sphere": lambda dim, size, o: EMACodebook(
        dim, size, decay=o.decay, dead=o.dead, revived=o.revived, surface=unit
    ),
    "sim": lambda dim, size, o: SimCodebook(dim, size, decay=o.decay),
}
"""(dim, size, options) → a codebook of all its codes."""


def build_codebook(dim: int, size: int, options: Options) -> Codebook:
    """The codebook that the options ask for, growing or not. Raises `BadValue`."""
    made = CODEBOOKS[choose("codebook", options.codebook, CODEBOOKS)](dim, size, options)
    return GrowingCodebook(made, options.growth) if options.growth.start else made
