"""What the table of quantizers holds."""

from collections.abc import Callable
from dataclasses import dataclass

from modaloom.core.errors import BadValue
from modaloom.quantizers.base import Quantizer
from modaloom.quantizers.options import QuantizerConfig

SHARED_OPTIONS = frozenset({"groups", "dropout", "adaptive_distortion"})
"""Options of what stands around the quantizers of any kind."""


@dataclass(frozen=True)
class Kind:
    """A kind of quantizer."""

    make: Callable[[int, int, QuantizerConfig], Quantizer]
    """(dim, size, options) → one of them, of depth 1."""
    options: frozenset[str]
    """Those of the options that it takes, beside SHARED_OPTIONS."""

    def check(self, options: QuantizerConfig) -> None:
        """Raise `BadValue` for a changed option that would do nothing."""
        idle = sorted(options.changed() - self.options - SHARED_OPTIONS)
        if idle:
            able = sorted(self.options | SHARED_OPTIONS)
            raise BadValue(f"this quantizer has no {', '.join(idle)}; it has {', '.join(able)}")
