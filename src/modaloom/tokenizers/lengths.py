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


def with_end(codes: Tensor, missing: int) -> Tensor:
    """Codes (B, n, *rest, Q) → (B, n, *rest, Q + 1): the last one of each position says how many positions of
    a signal the last index of the first axis has beyond the signal's end."""
    return torch.cat([codes, torch.full_like(codes[..., :1], missing)], -1)


def mark_ends(codes: Tensor, rows: Sequence[NDArray[Any]], strides: Sequence[int]) -> Tensor:
    """Codes (B, *grid, Q) of prepared values (…, *axes), with the end of each as in `with_end`."""
    found = codes.clone()
    for own, row in zip(found, rows):
        length = row.shape[-len(strides)]
        own[: -(-length // strides[0]), ..., -1] = -length % strides[0]
    return found


def without_end(codes: Tensor, stride: int) -> tuple[Tensor, int]:
    """The inverse of `with_end`, for codes of one length: they and that number, less than `stride`.

    A generated code that says more is taken for the most there can be; at least one position is left.
    """
    last = codes[..., -1].flatten()
    return codes[..., :-1], min(int(last[0]), stride - 1) if len(last) else 0
