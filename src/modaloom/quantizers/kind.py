"""The entries of the table of quantizers."""

from collections.abc import Callable
from dataclasses import dataclass

from modaloom.core.errors import BadValue
from modaloom.quantizers.base import Quantizer
from modaloom.quantizers.options import QuantizerConfig

SHARED_OPTIONS = frozenset({"groups", "dropout", "adaptive_distortion", "beam_width"})
"""Options of the wrappers, available for every quantizer."""


@dataclass(frozen=True)
class QuantizerKind:
    """An entry: the factory of a quantizer and its options."""

    make: Callable[[int, int, QuantizerConfig], Quantizer]
    """(dim, size, options) → quantizer of depth 1."""
    options: frozenset[str]
    """Names of the options that it uses, in addition to SHARED_OPTIONS."""

    def check(self, options: QuantizerConfig) -> None:
        """Raise `BadValue` for a changed option that has no effect."""
        unused = sorted(options.changed() - self.options - SHARED_OPTIONS)
        if unused:
            allowed = sorted(self.options | SHARED_OPTIONS)
            raise BadValue(f"this quantizer has no {', '.join(unused)}; it has {', '.join(allowed)}")
