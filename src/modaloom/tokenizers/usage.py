"""What the codes of a picture's tokenizer look like, and where they stand.

Shapes: n values, K codes, C channels, L positions, Q depths.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.types import CodeShape
from modaloom.modalities.base import DataSpec
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.networks.conv import pad_to_stride
from modaloom.tokenizers.global_codes import outline_side_means

Columns = Iterable[tuple[Tensor, Tensor]]
"""Packed pictures uint8 (n, C, H, W) and their codes int64 (n, L, Q), stream by stream."""


@dataclass(frozen=True)
class CodeUsage:
    """Of each of the K codes of one depth, over the values looked at."""

    patch: Tensor
    """uint8 (K, C, h, w): the mean of what lies under the code; grey where it was never used."""
    places: Tensor
    """int64 (K, *grid): how often it stands at each position; (K, 1, 1) for a value as a whole."""
    whole: bool = False
    """The codes tell of a value as a whole, and stand nowhere."""


def is_picture(spec: DataSpec) -> bool:
    """Two axes, in grey or colour."""
    return len(spec["size"]) == 2 and spec["channels"] in (1, 3)


def local_usage(
    codec: SignalCodec, channels: int, shape: CodeShape, stride: int, columns: Columns
) -> CodeUsage:
    """Of the first depth, whose codes stand for `stride` × `stride` pixels each."""
    (rows, across), size = shape.grid, shape.codebook_size
    total = torch.zeros(size, channels, stride, stride)
    places = torch.zeros(size, rows * across, dtype=torch.int64)
    for packed, codes in columns:
        signal = pad_to_stride(codec.normalize(packed), stride)
        for place, code in enumerate(codes[..., 0].T):
            top, left = (stride * i for i in divmod(place, across))
            total.index_add_(0, code, signal[..., top : top + stride, left : left + stride])
            places[:, place] += torch.bincount(code, minlength=size)
    mean = total / places.sum(1).clamp(min=1).reshape(-1, 1, 1, 1)
    return CodeUsage(codec.denormalize(mean), places.reshape(size, rows, across))


def global_usage(
    codec: SignalCodec, channels: int, shape: CodeShape, stride: int, columns: Columns
) -> CodeUsage:
    """Of the first depth that tells of the tint: two colours, the rarer one of a picture first."""
    size = shape.codebook_size
    total, counts = torch.zeros(size, 2 * channels), torch.zeros(size, dtype=torch.int64)
    for packed, codes in columns:
        signal, code = pad_to_stride(codec.normalize(packed), stride), codes[:, 0, -shape.shared]
        total.index_add_(0, code, outline_side_means(signal, codec.outline(signal)))
        counts += torch.bincount(code, minlength=size)
    colours = (total / counts.clamp(min=1)[:, None]).reshape(size, 2, channels)
    return CodeUsage(codec.denormalize(colours.mT[:, :, None]), counts.reshape(size, 1, 1), whole=True)
