"""Signals of which a part is known: what is known is the last channel."""

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.models.pair import Pair, blank


def with_known(signal: Tensor, known: Tensor) -> Tensor:
    """(C, *axes) and bool (*axes) → (C + 1, *axes). Raises `BadValue` for a mask of another size."""
    if signal.shape[1:] != known.shape:
        sizes = ["×".join(map(str, shape)) for shape in (known.shape, signal.shape[1:])]
        raise BadValue(f"the mask is {sizes[0]}, the signal {sizes[1]}; they must be of one size")
    return torch.cat([signal, known[None].to(signal)])


def wholly_known(signal: Tensor) -> Tensor:
    """(C, *axes) → (C + 1, *axes)."""
    return with_known(signal, torch.ones(signal.shape[1:], dtype=torch.bool))


def improve(signal: Tensor, *, level: float = 0.0) -> Pair:
    """(C + 1, *axes) → the question what it should be; `level` in [0, 1] says how strong the fault is."""
    return blank(signal, len(signal) - 1, context=signal.new_full((1, 1), level))
