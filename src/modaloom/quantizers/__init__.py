"""Vector quantizers: vectors to codes and back. A new quantizer is one file and one line of the table."""

from dataclasses import fields
from typing import Any

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.quantizers.adaptive import Adaptive
from modaloom.quantizers.base import Quantizer
from modaloom.quantizers.fsq import FSQ, fsq
from modaloom.quantizers.grouped import Grouped
from modaloom.quantizers.kind import QuantizerKind
from modaloom.quantizers.lfq import LFQ, bsq, lfq
from modaloom.quantizers.normalized import Normalized
from modaloom.quantizers.options import GrowthConfig, QuantizerConfig
from modaloom.quantizers.projected import Projected
from modaloom.quantizers.residual import Residual
from modaloom.quantizers.vq import VQ, vq

__all__ = [
    "FSQ",
    "LFQ",
    "QUANTIZERS",
    "VQ",
    "Adaptive",
    "Grouped",
    "GrowthConfig",
    "Normalized",
    "Projected",
    "Quantizer",
    "QuantizerConfig",
    "QuantizerKind",
    "Residual",
    "assemble",
    "build",
]

CODEBOOK_OPTIONS = {
    "codebook",
    "codebook_dim",
    "normalize",
    "decay",
    "dead_code_threshold",
    "max_restart_fraction",
    "growth",
    "gradient_estimator",
}
ENTROPY_OPTIONS = {"entropy", "temperature"}

QUANTIZERS: dict[str, QuantizerKind] = {
    "vq": QuantizerKind(vq, frozenset({"commitment", *CODEBOOK_OPTIONS})),
    "fsq": QuantizerKind(fsq, frozenset({"commitment", "levels"})),
    "lfq": QuantizerKind(lfq, frozenset({"commitment", *ENTROPY_OPTIONS})),
    "bsq": QuantizerKind(bsq, frozenset({"commitment", "decay", *ENTROPY_OPTIONS})),
}


def build(name: str, dim: int, size: int, depth: int = 1, **options: Any) -> Quantizer:
    """Build a quantizer from keyword options.

    Args:
        name: an entry of `QUANTIZERS`.
        dim: width of the vectors, at least 1.
        size: codebook size K, at least 1.
        depth: residual depth Q, at least 1.
        options: fields of `QuantizerConfig`.

    Raises:
        BadValue: as `assemble`, and for an unknown option.
    """
    for option in options:
        check_choice("option", option, [field.name for field in fields(QuantizerConfig)])
    return assemble(name, dim, size, depth, QuantizerConfig(**options))


def assemble(name: str, dim: int, size: int, depth: int, options: QuantizerConfig) -> Quantizer:
    """Build a quantizer: `depth` residual stages for each group of channels.

    Args:
        name: an entry of `QUANTIZERS`.
        dim: width of the vectors, at least 1; a multiple of `options.groups`.
        size: codebook size K, at least 1.
        depth: residual depth Q, at least 1.
        options: everything else.

    Raises:
        BadValue: for an unknown name, a value out of range or an option that this quantizer does not have.
    """
    for what, value in {"dim": dim, "size": size, "depth": depth}.items():
        check_range(what, value, 1)
    kind = QUANTIZERS[check_choice("quantizer", name, QUANTIZERS)]
    kind.check(options)
    if dim % options.groups:
        raise BadValue(f"groups is {options.groups}; it must divide the width of the vectors, {dim}")
    parts = [_build_depth(kind, dim // options.groups, size, depth, options) for _ in range(options.groups)]
    return parts[0] if len(parts) == 1 else Grouped(parts)


def _build_depth(kind: QuantizerKind, dim: int, size: int, depth: int, options: QuantizerConfig) -> Quantizer:
    stages = [kind.make(dim, size, options) for _ in range(depth)]
    if depth == 1 and not options.adaptive_distortion:
        return stages[0]
    residual = Residual(
        stages,
        dropout=options.dropout,
        gradient_estimator=options.gradient_estimator,
        beam_width=options.beam_width,
    )
    return (
        Adaptive(residual, options.adaptive_distortion, decay=options.decay)
        if options.adaptive_distortion
        else residual
    )
