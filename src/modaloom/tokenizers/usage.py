"""Mean patches and usage maps of the codes of an image tokenizer.

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
"""Per stream, packed images uint8 (n, C, H, W) and their codes int64 (n, L, Q)."""


@dataclass(frozen=True)
class CodeUsage:
    """Appearance and usage of the K codes of one depth, over a set of values."""

    patch: Tensor
    """uint8 (K, C, h, w): mean of the patches encoded with the code; grey if the code is unused."""
    places: Tensor
    """int64 (K, *grid): count of each code per position; (K, 1, 1) for global codes."""
    whole: bool = False
    """Whether the codes are global: they describe a whole value and have no position."""


def is_picture(spec: DataSpec) -> bool:
    """Whether the spec has two axes and 1 or 3 channels."""
    return len(spec["size"]) == 2 and spec["channels"] in (1, 3)


def local_usage(
    codec: SignalCodec, channels: int, shape: CodeShape, strides: tuple[int, ...], columns: Columns
) -> CodeUsage:
    """Usage of the codes of the first depth, each for a patch of one stride per axis.

    Args:
        codec: converts packed images to signals.
        channels: C, channels of the images.
        shape: shape of the codes.
        strides: height and width of a patch, in pixels.
        columns: images and their codes.
    """
    (rows, across), (height, width), size = shape.grid, strides, shape.codebook_size
    total = torch.zeros(size, channels, height, width)
    places = torch.zeros(size, rows * across, dtype=torch.int64)
    for packed, codes in columns:
        signal = pad_to_stride(codec.normalize(packed), strides)
        for place, code in enumerate(codes[..., 0].T):
            top, left = (n * i for n, i in zip(strides, divmod(place, across)))
            total.index_add_(0, code, signal[..., top : top + height, left : left + width])
            places[:, place] += torch.bincount(code, minlength=size)
    mean = total / places.sum(1).clamp(min=1).reshape(-1, 1, 1, 1)
    return CodeUsage(codec.preview(codec.denormalize(mean)), places.reshape(size, rows, across))


def global_usage(
    codec: SignalCodec, channels: int, shape: CodeShape, strides: tuple[int, ...], columns: Columns
) -> CodeUsage:
    """Usage of the first global depth; its patches show two colours, the one rarer in an image first.

    Args:
        codec: converts packed images to signals, and has an outline.
        channels: C, channels of the images.
        shape: shape of the codes.
        strides: images are padded to multiples of them, in pixels.
        columns: images and their codes.
    """
    size = shape.codebook_size
    total, counts = torch.zeros(size, 2 * channels), torch.zeros(size, dtype=torch.int64)
    for packed, codes in columns:
        signal, code = pad_to_stride(codec.normalize(packed), strides), codes[:, 0, -shape.shared]
        total.index_add_(0, code, outline_side_means(signal, codec.outline(signal)))
        counts += torch.bincount(code, minlength=size)
    colours = (total / counts.clamp(min=1)[:, None]).reshape(size, 2, channels)
    return CodeUsage(
        codec.preview(codec.denormalize(colours.mT[:, :, None])), counts.reshape(size, 1, 1), whole=True
    )
