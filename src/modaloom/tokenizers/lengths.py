"""Codes of different lengths in one tensor: those of a sample, then padding."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modaloom.core.types import CodeShape
from modaloom.tokenizers.crops import lengthened


def encode_lengths(
    rows: Sequence[NDArray[Any]],
    encode_batch: Callable[[Tensor], Tensor],
    shape: CodeShape,
    strides: Sequence[int],
) -> Tensor:
    """Prepared values (…, *axes) → int64 (B, *grid, Q); those of as many codes are encoded together.

    Args:
        rows: at least one.
        encode_batch: values (B, …) of one length → codes (B, n, *rest, Q).
        shape: of the codes.
        strides: positions per code along each axis.
    """
    groups, axes = defaultdict[int, list[int]](list), len(strides)
    for i, row in enumerate(rows):
        groups[-(-row.shape[-axes] // strides[0])].append(i)
    found: dict[int, Tensor] = {}
    for n, group in groups.items():
        batch = np.stack([lengthened(rows[i], n * strides[0], axes) for i in group])
        found |= zip(group, encode_batch(torch.from_numpy(batch)))
    return join_lengths([found[i] for i in range(len(rows))], shape)


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
