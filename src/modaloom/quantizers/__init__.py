"""Vectors to codes and back. A new quantizer is one file and one line of the table."""

from dataclasses import fields
from typing import Any

from modaloom.core.errors import BadValue, check_choice, check_range
from modaloom.quantizers.adaptive import Adaptive
from modaloom.quantizers.base import Quantizer
from modaloom.quantizers.fsq import FSQ, fsq
from modaloom.quantizers.grouped import Grouped
from modaloom.quantizers.kind import Kind
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
    "Kind",
    "Normalized",
    "Projected",
    "Quantizer",
    "QuantizerConfig",
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

QUANTIZERS: dict[str, Kind] = {
    "vq": Kind(vq, frozenset({"commitment", *CODEBOOK_OPTIONS})),
    "fsq": Kind(fsq, frozenset({"commitment", "levels"})),
    "lfq": Kind(lfq, frozenset({"commitment", *ENTROPY_OPTIONS})),
    "bsq": Kind(bsq, frozenset({"commitment", "decay", *ENTROPY_OPTIONS})),
}


def build(name: str, dim: int, size: int, depth: int = 1, **options: Any) -> Quantizer:
    """`assemble` with the fields of `QuantizerConfig` as keywords. Raises `BadValue` for an unknown one."""
    for option in options:
        check_choice("option", option, [field.name for field in fields(QuantizerConfig)])
    return assemble(name, dim, size, depth, QuantizerConfig(**options))


def assemble(name: str, dim: int, size: int, depth: int, options: QuantizerConfig) -> Quantizer:
    """`depth` quantizers of one kind for each group of channels, as one.

    Raises `BadValue` for an unknown name, a value out of its range or an option that the kind has not.
    """
    for what, least in {"dim": dim, "size": size, "depth": depth}.items():
        check_range(what, least, 1)
    kind = QUANTIZERS[check_choice("quantizer", name, QUANTIZERS)]
    kind.check(options)
    if dim % options.groups:
        raise BadValue(f"groups is {options.groups}; it must divide the width, {dim}")
    parts = [_deep(kind, dim // options.groups, size, depth, options) for _ in range(options.groups)]
    return parts[0] if len(parts) == 1 else Grouped(parts)


def _deep(kind: Kind, dim: int, size: int, depth: int, options: QuantizerConfig) -> Quantizer:
    stages = [kind.make(dim, size, options) for _ in range(depth)]
    if depth == 1 and not options.adaptive_distortion:
        return stages[0]
    whole = Residual(stages, dropout=options.dropout, gradient_estimator=options.gradient_estimator)
    return (
        Adaptive(whole, options.adaptive_distortion, decay=options.decay)
        if options.adaptive_distortion
        else whole
    )
