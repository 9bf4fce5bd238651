"""Vectors to codes and back. A new quantizer is one file and one line of the table."""

from collections.abc import Callable
from typing import Any

from modaloom.core.errors import check_range, choose
from modaloom.quantizers.base import Quantizer
from modaloom.quantizers.residual import Residual
from modaloom.quantizers.vq import VQ

__all__ = ["QUANTIZERS", "VQ", "Quantizer", "Residual", "build"]

QUANTIZERS: dict[str, Callable[..., Quantizer]] = {"vq": VQ}


def build(name: str, dim: int, size: int, depth: int = 1, **options: Any) -> Quantizer:
    """`depth` quantizers of one kind, as one.

    Raises `BadValue` for an unknown name or a value out of its range.
    """
    check_range("depth", depth, 1)
    kind = QUANTIZERS[choose("quantizer", name, QUANTIZERS)]
    stages = [kind(dim, size, **options) for _ in range(depth)]
    return stages[0] if depth == 1 else Residual(stages)
