"""Encoder and decoder of a tokenizer of signals as graphs."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from modaloom.core.graph import Function, Graph
from modaloom.core.types import CodeShape
from modaloom.modalities.base import DataSpec
from modaloom.modalities.signal_codec import SignalCodec


def signal_graphs(
    owner: nn.Module,
    encode: Callable[[Tensor], Tensor],
    decode: Callable[[Tensor, Sequence[int]], Tensor],
    codec: SignalCodec,
    spec: DataSpec,
    shape: CodeShape,
    strides: Sequence[int],
) -> dict[str, Graph]:
    """The graphs `encode`, of one value, and `decode`, of any number of them.

    Args:
        owner: the tokenizer.
        encode: packed values (B, C, *axes) → int64 codes (B, *grid, Q).
        decode: codes, sides of the axes → packed values.
        codec: of the values.
        spec: theirs.
        shape: of the codes.
        strides: positions per code along each axis.
    """
    channels, (first, *rest) = codec.shape(spec)
    longest = shape.grid[0] * strides[0] if shape.variable else first

    def values(codes: Tensor) -> Tensor:
        return decode(codes, (codes.shape[1] * strides[0] if shape.variable else first, *rest))

    packed = codec.denormalize(torch.zeros(1, channels, longest, *rest))
    codes = torch.zeros(2, *shape.grid, shape.depth, dtype=torch.int64)
    lengths = ({"values": 2}, {"codes": 1}) if shape.variable else ({}, {})
    return {
        "encode": Graph(Function(owner, encode), {"values": packed}, ["codes"], lengths[0], batched=False),
        "decode": Graph(Function(owner, values), {"codes": codes}, ["values"], lengths[1]),
    }
