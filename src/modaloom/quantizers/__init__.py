"""Vectors to codes and back. A new quantizer is one file and one line of the table."""

from dataclasses import fields
from typing import Any

from modaloom.core.errors import BadValue, check_range, choose
from modaloom.quantizers.adaptive import Adaptive
from modaloom.quantizers.base import Quantizer
from modaloom.quantizers.fsq import FSQ, fsq
from modaloom.quantizers.grouped import Grouped
from modaloom.quantizers.kind import Kind
from modaloom.quantizers.lfq import LFQ, bsq, lfq
from modaloom.quantizers.normalized import Normalized
from modaloom.quantizers.options import Growth, Options
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
    "Growth",
    "Kind",
    "Normalized",
    "Options",
    "Projected",
    "Quantizer",
    "Residual",
    "assemble",
    "build",
]

BOOK = {"codebook", "code_dim", "normalize", "decay", "dead", "revived", "growth", "gradient"}
BITS = {"entropy", "temperature"}

QUANTIZERS: dict[str, Kind] = {
    "vq": Kind(vq, frozenset({"commitment", *BOOK})),
    "fsq": Kind(fsq, frozenset({"commitment", "levels"})),
    "lfq": Kind(lfq, frozenset({"commitment", *BITS})),
    "bsq": Kind(bsq, frozenset({"commitment", "decay", *BITS})),
}


def build(name: str, dim: int, size: int, depth: int = 1, **options: Any) -> Quantizer:
    """`assemble` with the fields of `Options` as keywords. Raises `BadValue` for an unknown one too."""
    for option in options:
        choose("option", option, [field.name for field in fields(Options)])
    return assemble(name, dim, size, depth, Options(**options))


def assemble(name: str, dim: int, size: int, depth: int, options: Options) -> Quantizer:
    """`depth` quantizers of one kind for each group of channels, as one.

    Raises `BadValue` for an unknown name, a value out of its range or an option that the kind has not.
    """
    for what, least in {"dim": dim, "size": size, "depth": depth}.items():
        check_range(what, least, 1)
    kind = QUANTIZERS[choose("quantizer", name, QUANTIZERS)]
    kind.check(options)
    if dim % options.groups:
        raise BadValue(f"groups is {options.groups}; it must divide the width, {dim}")
    parts = [_deep(kind, dim // options.groups, size, depth, options) for _ in range(options.groups)]
    return parts[0] if len(parts) == 1 else Grouped(parts)


def _deep(kind: Kind, dim: int, size: int, depth: int, options: Options) -> Quantizer:
    stages = [kind.make(dim, size, options) for _ in range(depth)]
    if depth == 1 and not options.adaptive:
        return stages[0]
    whole = Residual(stages, dropout=options.dropout, gradient=options.gradient)
    return Adaptive(whole, options.adaptive, decay=options.decay) if options.adaptive else whole
