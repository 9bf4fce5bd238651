"""Convolutional encoder and decoder over 1, 2 or 3 axes: residual blocks between rescalings by 2.

Shapes: B batch, C channels, then the axes.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONV: dict[int, type[nn.Conv1d] | type[nn.Conv2d] | type[nn.Conv3d]] = {
    1: nn.Conv1d,
    2: nn.Conv2d,
    3: nn.Conv3d,
}


def space_to_depth(x: Tensor) -> Tensor:
    """(B, C, 2a, 2b…) → (B, C·2ⁿ, a, b…): each 2ⁿ cell becomes channels."""
    n = x.ndim - 2
    x = x.reshape(*x.shape[:2], *(size for side in x.shape[2:] for size in (side // 2, 2)))
    order = [0, 1, *range(3, 3 + 2 * n, 2), *range(2, 2 + 2 * n, 2)]
    return x.permute(order).flatten(1, 1 + n)


def depth_to_space(x: Tensor) -> Tensor:
    """The inverse of `space_to_depth`."""
    n = x.ndim - 2
    x = x.reshape(len(x), -1, *[2] * n, *x.shape[2:])
    order = [0, 1, *(axis for i in range(n) for axis in (2 + n + i, 2 + i))]
    x = x.permute(order)
    return x.reshape(*x.shape[:2], *(x.shape[2 + 2 * i] * 2 for i in range(n)))


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each position separately."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class AutoencoderResBlock(nn.Module):
    """x + conv(act(conv(norm x))); the identity at initialisation."""

    def __init__(self, width: int, axes: int, kernel: int = 3) -> None:
        super().__init__()
        self.norm = ChannelNorm(width)
        self.a = CONV[axes](width, width, kernel, padding=kernel // 2)
        self.b = CONV[axes](width, width, kernel, padding=kernel // 2)
        nn.init.zeros_(self.b.weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.b(F.silu(self.a(self.norm(x))))
        return y


class Downsample(nn.Module):
    """Halves every axis: space_to_depth, then a pointwise convolution."""

    def __init__(self, width_in: int, width: int, axes: int) -> None:
        super().__init__()
        self.mix = CONV[axes](width_in * 2**axes, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.mix(space_to_depth(x))
        return y


class Upsample(nn.Module):
    """Doubles every axis: a pointwise convolution, then depth_to_space."""

    def __init__(self, width_in: int, width: int, axes: int) -> None:
        super().__init__()
        self.mix = CONV[axes](width_in, width * 2**axes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return depth_to_space(self.mix(x))


def encoder(channels: int, widths: Sequence[int], dim: int, *, axes: int, blocks: int = 1) -> nn.Sequential:
    """Encoder network: (B, channels, *axes) → (B, dim, *axes / 2^len(widths)).

    The coarsest scale has pointwise convolutions alone, so that a code describes the signal near its
    position: codes with a large receptive field are much harder to model.

    Args:
        channels: channels of the signal.
        widths: channels of each scale, finest first.
        dim: channels of the output.
        axes: 1, 2 or 3.
        blocks: residual blocks per scale.
    """
    layers: list[nn.Module] = []
    for before, width in zip((channels, *widths), widths):
        kernel = 1 if len(layers) == (len(widths) - 1) * (1 + blocks) > 0 else 3
        layers += [
            Downsample(before, width, axes),
            *(AutoencoderResBlock(width, axes, kernel) for _ in range(blocks)),
        ]
    return nn.Sequential(*layers, nn.SiLU(), CONV[axes](widths[-1], dim, 1))


def decoder(channels: int, widths: Sequence[int], dim: int, *, axes: int, blocks: int = 1) -> nn.Sequential:
    """Decoder network: (B, dim, *axes) → (B, channels, *axes · 2^len(widths)).

    Args:
        channels: channels of the signal.
        widths: channels of each scale, finest first, as of `encoder`.
        dim: channels of the input.
        axes: 1, 2 or 3.
        blocks: residual blocks per scale.
    """
    layers: list[nn.Module] = [CONV[axes](dim, widths[-1], 3, padding=1)]
    for width, after in zip(widths[::-1], (*widths[-2::-1], channels)):
        layers += [*(AutoencoderResBlock(width, axes) for _ in range(blocks)), Upsample(width, after, axes)]
    return nn.Sequential(*layers)


def to_channels_last(x: Tensor) -> Tensor:
    """Channels-last memory format for 2 and 3 axes: faster convolutions on CPUs and GPUs."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    return x.contiguous(memory_format=formats[x.ndim]) if x.ndim in formats else x


def no_autocast(x: Tensor) -> torch.autocast:
    """A context in which autocast is off, so that float32 stays float32."""
    return torch.autocast(x.device.type, enabled=False)


def pad_to_stride(signal: Tensor, stride: int) -> Tensor:
    """(B, C, *axes), every axis lengthened to a multiple of the stride by repeating its last values."""
    short = [(-side) % stride for side in reversed(signal.shape[2:])]
    return torch.nn.functional.pad(signal, [p for side in short for p in (0, side)], mode="replicate")


def channels_last(module: nn.Module) -> None:
    """Weights in the memory format that convolutions are fastest in."""
    for p in module.parameters():
        p.data = to_channels_last(p.data)
