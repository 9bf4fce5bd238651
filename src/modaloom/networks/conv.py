"""Convolutions over 1, 2 or 3 axes, and what surrounds them: rearrangement, padding, normalisation, layout.

Shapes: B batch, C channels, then the axes.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Conv3d(nn.Conv3d):
    """A convolution over three axes, of which a first one that is shorter than the kernel is padded before.

    oneDNN's gradient of a bfloat16 kernel otherwise reads memory that nobody has written there.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] >= self.kernel_size[0] or self.padding_mode != "zeros":
            return super().forward(x)
        ends, *others = map(int, self.padding)
        padded = F.pad(x, (0, 0, 0, 0, ends, ends))
        return F.conv3d(padded, self.weight, self.bias, self.stride, (0, *others), self.dilation, self.groups)


Conv = nn.Conv1d | nn.Conv2d | nn.Conv3d
CONV: dict[int, type[nn.Conv1d] | type[nn.Conv2d] | type[nn.Conv3d]] = {
    1: nn.Conv1d,
    2: nn.Conv2d,
    3: Conv3d,
}


class PadBefore(nn.Module):
    """n zeros before the first axis."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, [*[0, 0] * (x.ndim - 3), self.n, 0]) if self.n else x


def padding(axes: int, kernel: int, *, causal: bool) -> Any:
    """Of a convolution that keeps its sides, by axis; a causal one has a `PadBefore` on the first axis.

    A tuple, whose length torch's types ask for.
    """
    return (0 if causal else kernel // 2, *[kernel // 2] * (axes - 1))


def per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """One number for all axes, or one number per axis → one number per axis."""
    return (value,) * axes if isinstance(value, int) else tuple(value)


def same_conv(
    axes: int, width_in: int, width: int, kernel: int | Sequence[int], *, padding_mode: str = "zeros"
) -> Conv:
    """A convolution that keeps the grid.

    Args:
        axes: 1, 2 or 3.
        width_in: input channels.
        width: output channels.
        kernel: sides, odd; one for all axes or one per axis.
        padding_mode: as of `torch.nn.Conv2d`.
    """
    sides, conv = per_axis(kernel, axes), cast("Callable[..., Conv]", CONV[axes])
    return conv(width_in, width, sides, padding=tuple(n // 2 for n in sides), padding_mode=padding_mode)


def space_to_depth(x: Tensor, factors: int | Sequence[int] = 2) -> Tensor:
    """(B, C, f₁a, f₂b…) → (B, C · f₁f₂…, a, b…): each cell of f₁ × f₂ × … positions becomes channels."""
    n = x.ndim - 2
    cell = per_axis(factors, n)
    x = x.reshape(*x.shape[:2], *(size for side, f in zip(x.shape[2:], cell) for size in (side // f, f)))
    order = [0, 1, *range(3, 3 + 2 * n, 2), *range(2, 2 + 2 * n, 2)]
    return x.permute(order).flatten(1, 1 + n)


def depth_to_space(x: Tensor, factors: int | Sequence[int] = 2) -> Tensor:
    """The inverse of `space_to_depth`."""
    n = x.ndim - 2
    cell = per_axis(factors, n)
    x = x.reshape(len(x), x.shape[1] // math.prod(cell), *cell, *x.shape[2:])
    order = [0, 1, *(axis for i in range(n) for axis in (2 + n + i, 2 + i))]
    x = x.permute(order)
    return x.reshape(*x.shape[:2], *(x.shape[2 + 2 * i] * f for i, f in enumerate(cell)))


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each position separately."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


def to_channels_last(x: Tensor) -> Tensor:
    """Channels-last memory format for 2 and 3 axes: faster convolutions on CPUs and GPUs."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return x.contiguous(memory_format=formats[x.ndim]) if x.ndim in formats else x


def no_autocast(x: Tensor) -> torch.autocast:
    """A context in which autocast is off, so that float32 stays float32."""
    return torch.autocast(x.device.type, enabled=False)


def pad_to_stride(signal: Tensor, stride: int | Sequence[int]) -> Tensor:
    """(B, C, *axes), every axis lengthened to a multiple of its stride by repeating its last values."""
    sides = signal.shape[2:]
    short = [(-side) % n for side, n in zip(sides, per_axis(stride, len(sides)))][::-1]
    return F.pad(signal, [p for side in short for p in (0, side)], mode="replicate") if any(short) else signal


def cut_to(signal: Tensor, sides: Sequence[int]) -> Tensor:
    """(B, C, *axes), the first `sides` values of every axis."""
    for axis, side in enumerate(sides, start=2):
        signal = signal.narrow(axis, 0, side)
    return signal


def channels_last(module: nn.Module) -> None:
    """Weights in the memory format that convolutions are fastest in."""
    for p in module.parameters():
        p.data = to_channels_last(p.data)
