"""Codes of different lengths in one tensor: those of a sample, then padding."""

from collections.abc import Sequence

import torch
from torch import Tensor

from modaloom.core.types import CodeShape


def join_lengths(rows: Sequence[Tensor], shape: CodeShape) -> Tensor:
    """Codes (n_i, *rest, Q) of variable samples → int64 (B, *grid, Q), with `shape.padding` after the end."""
    whole = torch.full((len(rows), *shape.grid, shape.depth), shape.padding, dtype=torch.int64)
    for padded, row in zip(whole, rows):
        padded[: len(row)] = row
    return whole


def split_lengths(codes: Tensor, shape: CodeShape) -> list[Tensor]:
    """The inverse of `join_lengths`: codes (B, *grid, Q) → B tensors (n_i, *rest, Q).

    A sample ends before the first index of the first axis that has padding.
    """
    ended = (codes == shape.padding).flatten(2).any(2)
    return [row[: int((~over).cumprod(0).sum())] for row, over in zip(codes, ended)]
