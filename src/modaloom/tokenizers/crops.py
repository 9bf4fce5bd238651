"""Random crops of packed signals, for the training of tokenizers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def random_crop(
    packed: NDArray[Any], size: Sequence[int], strides: Sequence[int], random: torch.Generator
) -> NDArray[Any]:
    """A random crop of the last axes, which starts at a multiple of the stride along each of them.

    Every cell of the code grid may be in a crop: where an axis is no multiple of its stride, the last crop is
    lengthened by repeating the last values, as the whole signal is before it is encoded. An axis that is not
    longer than the crop is kept whole.

    Args:
        packed: (…, *axes); only the crop is read.
        size: sides of the crop, in positions.
        strides: positions per code along each axis.
        random: source of randomness.
    """
    window, missing = [slice(None)] * (packed.ndim - len(size)), [(0, 0)] * (packed.ndim - len(size))
    for side, longest, stride in zip(packed.shape[-len(size) :], size, strides):
        length = min(longest, side)
        num_starts = -(-(side - length) // stride) + 1
        start = stride * int(torch.randint(num_starts, (), generator=random))
        window.append(slice(start, start + length))
        missing.append((0, max(0, start + length - side)))
    crop = packed[tuple(window)]
    return np.pad(crop, missing, mode="edge") if any(map(max, missing)) else crop


def lengthened(crop: NDArray[Any], length: int, axes: int) -> NDArray[Any]:
    """A crop (…, *axes) of a short signal, its first axis repeated at the end up to a length."""
    missing = [(0, 0)] * crop.ndim
    missing[-axes] = (0, max(0, length - crop.shape[-axes]))
    return np.pad(crop, missing, mode="edge")
