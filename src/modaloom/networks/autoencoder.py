"""Convolutional encoder and decoder over 1, 2 or 3 axes: residual blocks between rescalings.

Shapes: B batch, C channels, then the axes. Factors: one row per stage, finest first, with a factor per axis.
Causal: along the first axis, a code depends on the signal up to its end, and the signal on the codes so far.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

import torch.nn.functional as F
from torch import Tensor, nn

from modaloom.networks.conv import CONV, ChannelNorm, PadBefore, depth_to_space, padding, space_to_depth
from modaloom.networks.tiled import TiledSequential

Factors = Sequence[Sequence[int]]
"""Stage, finest first → factor of each axis."""


def stage_factors(strides: Sequence[int]) -> list[tuple[int, ...]]:
    """Split a power of two per axis into stages of 1 or 2 per axis, as many as the largest stride needs.

    An axis with a smaller stride is halved in the last stages: (4, 8, 8) → (1, 2, 2), (2, 2, 2), (2, 2, 2).
    """
    halvings = [stride.bit_length() - 1 for stride in strides]
    num_stages = max(halvings)
    return [tuple(2 if stage >= num_stages - n else 1 for n in halvings) for stage in range(num_stages)]


class AutoencoderResBlock(nn.Module):
    """x + conv(act(conv(norm x))); the identity at initialisation."""

    def __init__(self, width: int, axes: int, kernel: int = 3, *, causal: bool = False) -> None:
        super().__init__()
        sides = padding(axes, kernel, causal=causal)
        self.norm, self.before = ChannelNorm(width), PadBefore(causal * (kernel - 1))
        self.a = CONV[axes](width, width, kernel, padding=sides)
        self.b = CONV[axes](width, width, kernel, padding=sides)
        nn.init.zeros_(self.b.weight)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.b(self.before(F.silu(self.a(self.before(self.norm(x))))))
        return y


class Downsample(nn.Module):
    """Divides every axis by its factor: space_to_depth, then a pointwise convolution."""

    def __init__(self, width_in: int, width: int, factors: Sequence[int]) -> None:
        super().__init__()
        self.factors = tuple(factors)
        self.mix = CONV[len(factors)](width_in * math.prod(factors), width, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.mix(space_to_depth(x, self.factors))
        return y


class Upsample(nn.Module):
    """Multiplies every axis by its factor: a pointwise convolution, then depth_to_space."""

    def __init__(self, width_in: int, width: int, factors: Sequence[int]) -> None:
        super().__init__()
        self.factors = tuple(factors)
        self.mix = CONV[len(factors)](width_in, width * math.prod(factors), 1)

    def forward(self, x: Tensor) -> Tensor:
        return depth_to_space(self.mix(x), self.factors)


def silence(network: nn.Module) -> None:
    """Make an encoder or decoder return 0, with gradients in its last layer."""
    *_, last = (module for module in network.modules() if isinstance(module, (*CONV.values(),)))
    for parameter in last.parameters():
        nn.init.zeros_(parameter)


def encoder(
    channels: int,
    widths: Sequence[int],
    dim: int,
    *,
    factors: Factors,
    blocks: int = 1,
    causal: bool = False,
) -> TiledSequential:
    """Encoder network: (B, channels, *axes) → (B, dim, *axes / product of the factors).

    The coarsest scale has pointwise convolutions alone, so that a code describes the signal near its
    position: codes with a large receptive field are much harder to model.

    Args:
        channels: channels of the signal.
        widths: channels of each scale, finest first.
        dim: channels of the output.
        factors: downsampling factors of each scale.
        blocks: residual blocks per scale.
        causal: whether it is, along the first axis.
    """
    axes, strides = len(factors[0]), _strides(factors)
    kernels = [3] * (len(factors) - 1) + [1 if len(factors) > 1 else 3]
    layers: list[nn.Module] = []
    for before, width, factor, kernel in zip((channels, *widths), widths, factors, kernels):
        layers += [
            Downsample(before, width, factor),
            *(AutoencoderResBlock(width, axes, kernel, causal=causal) for _ in range(blocks)),
        ]
    return TiledSequential(
        [*layers, nn.SiLU(), CONV[axes](widths[-1], dim, 1)],
        scale_in=strides[-1],
        halo=_halo([blocks * 2 * (kernel // 2) for kernel in kernels], strides, causal),
        elements_per_cell=_elements_per_cell((channels, *widths, dim), strides),
    )


def decoder(
    channels: int,
    widths: Sequence[int],
    dim: int,
    *,
    factors: Factors,
    blocks: int = 1,
    causal: bool = False,
) -> TiledSequential:
    """Decoder network: (B, dim, *axes) → (B, channels, *axes · product of the factors).

    Args:
        channels: channels of the signal.
        widths: channels of each scale, finest first, as of `encoder`.
        dim: channels of the input.
        factors: upsampling factors of each scale, finest first, as of `encoder`.
        blocks: residual blocks per scale.
        causal: whether it is, along the first axis.
    """
    axes, strides = len(factors[0]), _strides(factors)
    layers: list[nn.Module] = [PadBefore(2)] if causal else []
    layers.append(CONV[axes](dim, widths[-1], 3, padding=padding(axes, 3, causal=causal)))
    for width, after, factor in zip(widths[::-1], (*widths[-2::-1], channels), factors[::-1]):
        layers += [
            *(AutoencoderResBlock(width, axes, causal=causal) for _ in range(blocks)),
            Upsample(width, after, factor),
        ]
    return TiledSequential(
        layers,
        scale_out=strides[-1],
        halo=_halo([blocks * 2] * len(factors) + [1], [*strides, strides[-1]], causal),
        elements_per_cell=_elements_per_cell((channels, *widths, dim), strides),
    )


def _strides(factors: Factors) -> list[tuple[int, ...]]:
    """Positions of the signal per position of each scale, by axis."""
    return list(accumulate(map(tuple, factors), lambda a, b: tuple(x * y for x, y in zip(a, b))))


def _halo(radii: Sequence[int], strides: Sequence[Sequence[int]], causal: bool) -> list[int]:
    """Cells of the coarsest scale, by axis, that cover convolutions of these radii, each at its scale; a
    causal one reaches twice as far back."""
    reaches = [1 + (causal and axis == 0) for axis in range(len(strides[0]))]
    return [
        -(-reach * sum(r * n for r, n in zip(radii, by_scale)) // by_scale[-1])
        for reach, by_scale in zip(reaches, zip(*strides))
    ]


def _elements_per_cell(widths: Sequence[int], strides: Sequence[Sequence[int]]) -> int:
    """Elements of the largest activation per cell of the coarsest scale.

    `widths`: channels of the signal, of each scale, and of the codes.
    """
    positions = [1, *(math.prod(stride) for stride in strides), math.prod(strides[-1])]
    return max(width * positions[-1] // n for width, n in zip(widths, positions))
