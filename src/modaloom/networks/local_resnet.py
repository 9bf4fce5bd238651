"""A restoration network of finite reach: what is far away has no say, so that large signals go by tiles.

Shapes: B batch, C channels, D channels of the condition, W width; then 1, 2 or 3 axes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from modaloom.core.errors import check_range
from modaloom.networks.conditioning import (
    MAX_FOURIER_FREQUENCIES,
    ConditioningEmbedding,
    ResBlock,
    concat_condition,
    crop_like,
    input_channels,
    pad_to_multiple,
    zero_init,
)
from modaloom.networks.conv import CONV, depth_to_space, no_autocast, space_to_depth, to_channels_last

HIGH_PASS_GAIN = 20.0
"""Of the condition's details in the first layer, at first."""


@dataclass(frozen=True)
class LocalResNetConfig:
    """How large a local network is."""

    width: int = 96
    """Channels between the blocks."""
    num_res_blocks: int = 5
    """Residual blocks of two convolutions."""
    space_to_depth_steps: int = 1
    """How often neighbours are put into channels before all else: less work for the same reach."""
    fourier_frequencies: int = 0
    """Pairs of sine and cosine of the condition, which tell close levels apart (`concat_condition`)."""

    def __post_init__(self) -> None:
        check_range("width", self.width, 1)
        check_range("num_res_blocks", self.num_res_blocks, 1)
        check_range("space_to_depth_steps", self.space_to_depth_steps, 0)
        check_range("fourier_frequencies", self.fourier_frequencies, 0, MAX_FOURIER_FREQUENCIES)


class LocalResNet(nn.Module):
    """State, time, condition and context → output in the state's shape; 0 at initialisation.

    Residual blocks without norms or a change of scale, as in EDSR (Lim et al. 2017, arXiv 1707.02921, §3.1).
    Other sizes than multiples of `stride` are padded at their ends with the last values, and the output is
    cropped. Under autocast what runs through all blocks stays float32, and bfloat16 rounds what each adds
    alone. Arguments as those of `UNet`.
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
        width, self.stride = config.width, 1 << config.space_to_depth_steps
        self.space_to_depth_steps, cells = config.space_to_depth_steps, self.stride**axes
        self.fourier_frequencies = config.fourier_frequencies
        self.conditioning = ConditioningEmbedding(
            width, context_features, interval_conditioned=interval_conditioned
        )
        seen = input_channels(channels, condition_channels, self.fourier_frequencies)
        self.first = CONV[axes](seen * cells, width, 3, padding=1, padding_mode="replicate")
        if condition_channels:
            init_high_pass(
                self.first.weight[: 3 * width // 4, channels * cells :][:, : condition_channels * cells],
                condition_channels,
            )
        self.blocks = nn.ModuleList(
            ResBlock(width, width, emb_width=width, axes=axes, norm=_identity_norm)
            for _ in range(config.num_res_blocks)
        )
        self.last = CONV[axes](width, channels * cells, 3, padding=1)
        zero_init(self.last)

    @property
    def receptive_radius(self) -> int:
        """How far beyond a stretch of whole steps lies what its output depends on."""
        return (2 * len(self.blocks) + 2) * self.stride

    def hidden_matrices(self) -> list[nn.Parameter]:
        """The kernels of the blocks."""
        return [p for p in self.blocks.parameters() if p.ndim > 2]

    def forward(
        self, state: Tensor, t: Tensor, condition: Tensor | None = None, context_BPV: Tensor | None = None
    ) -> Tensor:
        """(B, C, *axes), t in [0, 1] → (B, C, *axes)."""
        emb_BW = self.conditioning(t, context_BPV)
        x = pad_to_multiple(concat_condition(state, condition, self.fourier_frequencies), self.stride)
        for _ in range(self.space_to_depth_steps):
            x = space_to_depth(x)
        with no_autocast(x):
            x = self.first(to_channels_last(x.to(self.first.weight.dtype)))
        for block in self.blocks:
            x = block(x, emb_BW)
        with no_autocast(x):
            x = self.last(x)
        for _ in range(self.space_to_depth_steps):
            x = depth_to_space(x)
        return crop_like(x, state)


@torch.no_grad()
def init_high_pass(weight: Tensor, condition_channels: int) -> None:
    """Filters (width, condition_channels · cells, *kernel) lose their mean; the rest times HIGH_PASS_GAIN.

    What is to be restored is small beside a picture's even parts: with plain filters, 150 steps took nothing
    off the noise of photographs; with these, more than half of its power.
    """
    each = weight.view(len(weight), condition_channels, -1, *weight.shape[2:])
    each.sub_(each.mean(tuple(range(2, each.ndim)), keepdim=True)).mul_(HIGH_PASS_GAIN)


def _identity_norm(width: int) -> nn.Module:
    return nn.Identity()
