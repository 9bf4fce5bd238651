"""A restoration network with a finite receptive field, so that large signals can be processed in tiles.

Shapes: B batch, C channels, D channels of the condition, W width; then 1, 2 or 3 axes.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from modaloom.core.axes import by_axis
from modaloom.core.errors import BadValue, check_range
from modaloom.networks.conditioning import (
    MAX_FOURIER_FREQUENCIES,
    ConditioningEmbedding,
    ResBlock,
    concat_condition,
    crop_like,
    input_channels,
    zero_init,
)
from modaloom.networks.conv import (
    depth_to_space,
    no_autocast,
    pad_to_stride,
    same_conv,
    space_to_depth,
    to_channels_last,
)

HIGH_PASS_GAIN = 20.0
"""Factor of the high-pass filters on the condition, in the first layer at initialisation."""


@dataclass(frozen=True)
class LocalResNetConfig:
    """The size of a `LocalResNet`."""

    width: int = 96
    """Channels of the residual blocks; at least 1."""
    num_res_blocks: int = 5
    """Residual blocks of two convolutions; at least 1."""
    space_to_depth_steps: int = 1
    """`space_to_depth` operations on the input: less computation for the same receptive field."""
    fourier_frequencies: int = 0
    """Fourier features of the condition (`concat_condition`), 0–8."""
    frames: int = 5
    """Frames of a clip that the first layer sees, odd; the other layers see one each."""

    def __post_init__(self) -> None:
        check_range("width", self.width, 1)
        check_range("num_res_blocks", self.num_res_blocks, 1)
        check_range("space_to_depth_steps", self.space_to_depth_steps, 0)
        check_range("fourier_frequencies", self.fourier_frequencies, 0, MAX_FOURIER_FREQUENCIES)
        check_range("frames", self.frames, 1)
        if self.frames % 2 == 0:
            raise BadValue(f"frames is {self.frames}; it must be odd: as many before as after")


class LocalResNet(nn.Module):
    """State, time, condition and context → output in the state's shape; 0 at initialisation.

    Residual blocks without normalisation or rescaling, as in EDSR (Lim et al. 2017, arXiv 1707.02921, §3.1).
    Sizes that are no multiple of `strides` are replicate-padded, and the output is cropped. Under autocast
    the residual stream stays float32; only the branches of the blocks are bfloat16.

    Over three axes, the first of which is time, neighbouring frames meet in the first layer alone: for the
    price of a picture's network (early fusion: Caballero et al. 2017, arXiv 1611.05250, §3.1). Before the
    first frame and after the last these repeat, so that equal frames are answered as one is.

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
        config: LocalResNetConfig,
        *,
        axes: int,
        condition_channels: int = 0,
        context_features: int = 0,
        interval_conditioned: bool = False,
    ) -> None:
        super().__init__()
        width, self.space_to_depth_steps = config.width, config.space_to_depth_steps
        self.strides, self.step = by_axis(axes, 1 << config.space_to_depth_steps, 1), by_axis(axes, 2, 1)
        kernel, cells = by_axis(axes, 3, 1), math.prod(self.strides)
        self.fourier_frequencies = config.fourier_frequencies
        self.conditioning = ConditioningEmbedding(
            width, context_features, interval_conditioned=interval_conditioned
        )
        in_channels = input_channels(channels, condition_channels, self.fourier_frequencies)
        first = by_axis(axes, 3, config.frames)
        self.first = same_conv(axes, in_channels * cells, width, first, padding_mode="replicate")
        if condition_channels:
            init_high_pass(
                self.first.weight[: 3 * width // 4, channels * cells :][:, : condition_channels * cells],
                condition_channels,
            )
        self.blocks = nn.ModuleList(
            ResBlock(width, width, emb_width=width, axes=axes, norm=_identity_norm, kernel=kernel)
            for _ in range(config.num_res_blocks)
        )
        self.last = same_conv(axes, width, channels * cells, kernel)
        zero_init(self.last)

    @property
    def receptive_radius(self) -> tuple[int, ...]:
        """Positions beyond a box aligned to `strides` on which the output inside it depends, by axis."""
        reach = (2 * len(self.blocks) + 2) * self.strides[-1]
        return by_axis(len(self.strides), reach, self.first.kernel_size[0] // 2)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Convolution kernels of the residual blocks, for optimizers that treat them apart (Muon)."""
        return [p for p in self.blocks.parameters() if p.ndim > 2]

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
        x = pad_to_stride(concat_condition(state, condition, self.fourier_frequencies), self.strides)
        for _ in range(self.space_to_depth_steps):
            x = space_to_depth(x, self.step)
        with no_autocast(x):
            x = self.first(to_channels_last(x.to(self.first.weight.dtype)))
        for block in self.blocks:
            x = block(x, emb_BW)
        with no_autocast(x):
            x = self.last(x)
        for _ in range(self.space_to_depth_steps):
            x = depth_to_space(x, self.step)
        return crop_like(x, state)


@torch.no_grad()
def init_high_pass(weight: Tensor, condition_channels: int) -> None:
    """High-pass filters (width, condition_channels · cells, *kernel): remove the mean, scale the rest.

    What a restoration adds is small beside an image's low frequencies: in 150 steps the default
    initialisation removed nothing of the noise of photographs, this one more than half of its power.
    """
    filters = weight.view(len(weight), condition_channels, -1, *weight.shape[2:])
    filters.sub_(filters.mean(tuple(range(2, filters.ndim)), keepdim=True)).mul_(HIGH_PASS_GAIN)


def _identity_norm(width: int) -> nn.Module:
    return nn.Identity()
