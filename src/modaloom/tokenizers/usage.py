"""Mean patches and usage maps of the codes of a tokenizer of images or sounds.

Shapes: n values, K codes, C channels, L positions, Q depths.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.types import CodeShape
from modaloom.modalities.base import DataSpec, Value
from modaloom.modalities.signal_codec import SignalCodec
from modaloom.networks.conv import pad_to_stride
from modaloom.tokenizers.global_codes import outline_side_means

NUM_REPEATS = 12
"""How often a patch of a sound is heard."""
Columns = Iterable[tuple[Tensor, Tensor]]
"""Packed images (n, C, H, W) or sounds (n, C, T) of one size each, and their codes int64 (n, L, Q)."""


@dataclass(frozen=True)
class CodeUsage:
    """Appearance and usage of the K codes of one depth, over a set of values."""

    patch: Tensor
    """uint8 (K, C, h, w): mean of the patches encoded with the code; grey if the code is unused."""
    places: Tensor
    """int64 (K, *grid): count of each code per position; (K, 1, 1) for global codes."""
    whole: bool = False
    """Whether the codes are global: they describe a whole value and have no position."""
    heard: Callable[[int], Value] | None = None
    """Code → its mean again and again, as a value to listen to; None: there is nothing to hear."""


def usages(
    codec: SignalCodec,
    spec: DataSpec,
    shape: CodeShape,
    strides: tuple[int, ...],
    columns: Columns,
    *,
    tint: bool,
) -> dict[str, CodeUsage]:
    """Part → usage of the codes of what can be looked at: of sounds, and of images, with the `tint` apart."""
    facts = codec, codec.shape(spec)[0], shape, strides, columns
    if codec.look is not None:
        return {"": series_usage(*facts, spec)}
    if len(spec["size"]) != 2 or spec["channels"] not in (1, 3):
        return {}
    return {"": local_usage(*facts), **({"tint": global_usage(*facts)} if tint else {})}


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


def series_usage(
    codec: SignalCodec,
    channels: int,
    shape: CodeShape,
    strides: tuple[int, ...],
    columns: Columns,
    spec: DataSpec,
) -> CodeUsage:
    """Usage of the codes of the first depth of signals of one axis, as `local_usage`; what follows the end of
    a value is no code."""
    assert codec.look is not None
    (length,), (stride,), size = shape.grid, strides, shape.codebook_size
    total = torch.zeros(size, channels, stride)
    places = torch.zeros(size, length, dtype=torch.int64)
    for packed, codes in columns:
        patches = pad_to_stride(codec.normalize(packed), strides).unfold(2, stride, stride).transpose(1, 2)
        first = codes[:, : patches.shape[1], 0]
        flat = first * length + torch.arange(first.shape[1])
        total.index_add_(0, first.flatten(), patches[:, : first.shape[1]].flatten(0, 1))
        places += torch.bincount(flat.flatten(), minlength=size * length).reshape(size, length)
    mean = codec.denormalize(total / places.sum(1).clamp(min=1).reshape(-1, 1, 1))
    repeated = mean.repeat(1, 1, NUM_REPEATS).numpy()
    return CodeUsage(codec.look(mean), places[:, None], heard=lambda code: codec.unpack(repeated[code], spec))


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
