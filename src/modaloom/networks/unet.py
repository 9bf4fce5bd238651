"""A U-Net over 1, 2 or 3 axes, for signals of any size.

Shapes: B batch, C channels, D channels of the condition, L positions, W width; then the axes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modaloom.core.errors import BadValue, check_range
from modaloom.networks.blocks import Attention
from modaloom.networks.conditioning import (
    MAX_FOURIER_FREQUENCIES,
    ConditioningEmbedding,
    ResBlock,
    concat_condition,
    crop_like,
    input_channels,
    zero_init,
)
from modaloom.networks.conv import CONV, no_autocast, pad_to_stride


@dataclass(frozen=True)
class UNetConfig:
    """The size of a `UNet`."""

    widths: tuple[int, ...] = (32, 64, 128)
    """Channels of each scale, finest first; each scale halves the grid."""
    num_res_blocks: int = 1
    """Residual blocks per scale when downsampling; one more when upsampling."""
    groups: int = 8
    """Groups of the group norms; divides every width."""
    num_heads: int = 0
    """Attention heads at the coarsest scale; 0: no attention."""
    fourier_frequencies: int = 0
    """Fourier features of the condition (`concat_condition`), 0–8."""

    def __post_init__(self) -> None:
        check_range("num_res_blocks", self.num_res_blocks, 1)
        check_range("groups", self.groups, 1)
        check_range("num_heads", self.num_heads, 0)
        check_range("fourier_frequencies", self.fourier_frequencies, 0, MAX_FOURIER_FREQUENCIES)
        if not self.widths or any(width < 1 or width % self.groups for width in self.widths):
            raise BadValue(f"widths are {self.widths}; each must be a multiple of groups, {self.groups}")
        if self.num_heads and self.widths[-1] % self.num_heads:
            raise BadValue(
                f"num_heads is {self.num_heads}; it must divide the last of widths, {self.widths[-1]}"
            )


class UNet(nn.Module):
    """State, time, condition and context → output in the state's shape; 0 at initialisation.

    The U-Net of DDPM (Ho et al. 2020, arXiv 2006.11239, appendix B) with attention at the coarsest scale
    alone. Sizes that are no multiple of `stride` are replicate-padded, and the output is cropped.

    Args:
        channels: C of the state.
        config: size of the network.
        axes: 1, 2 or 3.
        condition_channels: D of the condition, a signal in [0, 1] on the state's grid; 0: no condition.
        context_features: V of each context member (`ConditioningEmbedding`); 0: no context.
        interval_conditioned: whether `t` may be (B, 2) (`ConditioningEmbedding`).
    """

    def __init__(
        self,
        channels: int,
        config: UNetConfig,
        *,
        axes: int,
        condition_channels: int = 0,
        context_features: int = 0,
        interval_conditioned: bool = False,
    ) -> None:
        super().__init__()
        widths, emb_width = config.widths, 4 * config.widths[0]
        norm = partial(nn.GroupNorm, config.groups)
        block = partial(ResBlock, emb_width=emb_width, axes=axes, norm=norm)
        self.stride = 2 ** (len(widths) - 1)
        self.conditioning = ConditioningEmbedding(
            emb_width, context_features, interval_conditioned=interval_conditioned
        )
        self.fourier_frequencies = config.fourier_frequencies
        self.first = CONV[axes](
            input_channels(channels, condition_channels, self.fourier_frequencies), widths[0], 3, padding=1
        )
        skips = [widths[0]]
        self.down = nn.ModuleList()
        for number, width in enumerate(widths, 1):
            last = number == len(widths)
            self.down.append(
                DownBlock(skips[-1], width, block, blocks=config.num_res_blocks, axes=0 if last else axes)
            )
            skips += [width] * (config.num_res_blocks + (not last))
        self.middle = MidBlock(widths[-1], block, heads=config.num_heads)
        self.up, before = nn.ModuleList(), widths[-1]
        for number, width in enumerate(reversed(widths), 1):
            skip_widths = [skips.pop() for _ in range(config.num_res_blocks + 1)]
            self.up.append(
                UpBlock(before, width, skip_widths, block, axes=0 if number == len(widths) else axes)
            )
            before = width
        self.norm, self.last = norm(widths[0]), CONV[axes](widths[0], channels, 3, padding=1)
        zero_init(self.last)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Kernels between the first layer and the last, for optimizers that treat them apart (Muon)."""
        parts = (self.down, self.middle, self.up)
        return [p for part in parts for p in part.parameters() if p.ndim > 2]

    def forward(
        self, state: Tensor, t: Tensor, condition: Tensor | None = None, context_BPV: Tensor | None = None
    ) -> Tensor:
        """Predict the output.

        Args:
            state: float (B, C, *axes).
            t: float (B,) in [0, 1], or (B, 2) with `interval_conditioned`.
            condition: float (B, D, *axes) in [0, 1].
            context_BPV: float (B, P, V).

        Returns:
            float (B, C, *axes).
        """
        emb_BW = self.conditioning(t, context_BPV)
        x = pad_to_stride(concat_condition(state, condition, self.fourier_frequencies), self.stride)
        with no_autocast(x):
            x = self.first(x.to(self.first.weight.dtype))
        skips = [x]
        for down_block in self.down:
            skips += down_block(skips[-1], emb_BW)
        x = self.middle(skips[-1], emb_BW)
        for up_block in self.up:
            x = up_block(x, skips, emb_BW)
        with no_autocast(x):
            x = self.last(F.silu(self.norm(x.to(self.last.weight.dtype))))
        return crop_like(x, state)


MakeBlock = Callable[[int, int], ResBlock]
"""Input channels, output channels → residual block."""


class DownBlock(nn.Module):
    """One scale of the contracting path: residual blocks, then a strided convolution.

    Args:
        width_in: input channels.
        width: output channels.
        make: makes a residual block.
        blocks: number of residual blocks.
        axes: 1, 2 or 3; 0 for the coarsest scale, which does not downsample.
    """

    def __init__(self, width_in: int, width: int, make: MakeBlock, *, blocks: int, axes: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(make(w, width) for w in (width_in, *[width] * (blocks - 1)))
        self.downsample = CONV[axes](width, width, 3, stride=2, padding=1) if axes else None

    def forward(self, x: Tensor, emb_BW: Tensor) -> list[Tensor]:
        """The output of each layer: the skip connections."""
        skips = []
        for block in self.blocks:
            x = block(x, emb_BW)
            skips.append(x)
        return skips if self.downsample is None else [*skips, self.downsample(x)]


class MidBlock(nn.Module):
    """The bottleneck: a residual block, attention over all positions, a residual block."""

    def __init__(self, width: int, make: MakeBlock, *, heads: int) -> None:
        super().__init__()
        self.a, self.b = make(width, width), make(width, width)
        self.norm = nn.LayerNorm(width, bias=False) if heads else None
        self.attention = Attention(width, heads) if heads else None

    def forward(self, x: Tensor, emb_BW: Tensor) -> Tensor:
        x = self.a(x, emb_BW)
        if self.attention is not None and self.norm is not None:
            tokens_BLC = x.flatten(2).transpose(1, 2)
            x = x + self.attention(self.norm(tokens_BLC)).transpose(1, 2).reshape(x.shape)
        y: Tensor = self.b(x, emb_BW)
        return y


class UpBlock(nn.Module):
    """One scale of the expanding path: residual blocks over input and skip connections, then upsampling.

    Args:
        width_in: input channels.
        width: output channels.
        skips: channels of the skip connections, in the order of their use.
        make: makes a residual block.
        axes: 1, 2 or 3; 0 for the finest scale, which does not upsample.
    """

    def __init__(self, width_in: int, width: int, skips: list[int], make: MakeBlock, *, axes: int) -> None:
        super().__init__()
        inputs = (width_in, *[width] * (len(skips) - 1))
        self.blocks = nn.ModuleList(make(channels + skip, width) for channels, skip in zip(inputs, skips))
        self.upsample_conv = CONV[axes](width, width, 3, padding=1) if axes else None

    def forward(self, x: Tensor, skips: list[Tensor], emb_BW: Tensor) -> Tensor:
        """Removes one tensor from the end of `skips` per block."""
        for block in self.blocks:
            x = block(torch.cat([x, skips.pop()], 1), emb_BW)
        if self.upsample_conv is not None:
            x = self.upsample_conv(F.interpolate(x, scale_factor=2.0))
        return x
