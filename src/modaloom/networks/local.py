"""A restoration network of finite reach: what is far away has no say, so that large signals go by tiles.

Shapes: B batch, C channels, D channels of the condition, W width; then 1, 2 or 3 axes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from modaloom.core.errors import check_range
from modaloom.networks.conv import CONV, exact, fold, memory_format, unfold
from modaloom.networks.told import OCTAVES, Told, ToldBlock, breadth, cropped, padded, shown, silence

GAIN = 20.0
"""Of the condition's details in the first layer, at first."""


@dataclass(frozen=True)
class LocalConfig:
    """How large a local network is."""

    width: int = 96
    """Channels between the blocks."""
    blocks: int = 5
    """Residual blocks of two convolutions."""
    folds: int = 1
    """How often neighbours are put into channels before all else: less work for the same reach."""
    octaves: int = 0
    """In which the condition is shown, too, so that levels close together are told apart (`shown`)."""

    def __post_init__(self) -> None:
        check_range("width", self.width, 1)
        check_range("blocks", self.blocks, 1)
        check_range("folds", self.folds, 0)
        check_range("octaves", self.octaves, 0, OCTAVES)


class Local(nn.Module):
    """State, time, condition and context → output in the state's shape; 0 at initialisation.

    Residual blocks without norms or a change of scale, as in EDSR (Lim et al. 2017, arXiv 1707.02921, §3.1).
    Other sizes than multiples of `step` are padded at their ends with the last values, and the output is
    cropped. Under autocast what runs through all blocks stays float32, and bfloat16 rounds what each adds
    alone. Arguments as those of `UNet`.
    """

    def __init__(
        self,
        channels: int,
        config: LocalConfig,
        *,
        axes: int,
        condition: int = 0,
        features: int = 0,
        reaching: bool = False,
    ) -> None:
        super().__init__()
        width, self.step = config.width, 1 << config.folds
        self.folds, cells, self.octaves = config.folds, self.step**axes, config.octaves
        self.told = Told(width, features, reaching=reaching)
        seen = breadth(channels, condition, self.octaves)
        self.first = CONV[axes](seen * cells, width, 3, padding=1, padding_mode="replicate")
        if condition:
            sharpen(
                self.first.weight[: 3 * width // 4, channels * cells :][:, : condition * cells], condition
            )
        self.blocks = nn.ModuleList(
            ToldBlock(width, width, told=width, axes=axes, norm=_as_it_is) for _ in range(config.blocks)
        )
        self.last = CONV[axes](width, channels * cells, 3, padding=1)
        silence(self.last)

    @property
    def reach(self) -> int:
        """How far beyond a stretch of whole steps lies what its output depends on."""
        return (2 * len(self.blocks) + 2) * self.step

    def hidden_matrices(self) -> list[nn.Parameter]:
        """The kernels of the blocks."""
        return [p for p in self.blocks.parameters() if p.ndim > 2]

    def forward(
        self, state: Tensor, t: Tensor, condition: Tensor | None = None, context_BPV: Tensor | None = None
    ) -> Tensor:
        """(B, C, *axes), t in [0, 1] → (B, C, *axes)."""
        told_BW = self.told(t, context_BPV)
        x = padded(shown(state, condition, self.octaves), self.step)
        for _ in range(self.folds):
            x = fold(x)
        with exact(x):
            x = self.first(memory_format(x.to(self.first.weight.dtype)))
        for block in self.blocks:
            x = block(x, told_BW)
        with exact(x):
            x = self.last(x)
        for _ in range(self.folds):
            x = unfold(x)
        return cropped(x, state)


@torch.no_grad()
def sharpen(weight: Tensor, signals: int) -> None:
    """Filters (width, signals · cells, *kernel) lose what they say to even signals; the rest times GAIN.

    What is to be restored is small beside a picture's even parts: with plain filters, 150 steps took nothing
    off the noise of photographs; with these, more than half of its power.
    """
    each = weight.view(len(weight), signals, -1, *weight.shape[2:])
    each.sub_(each.mean(tuple(range(2, each.ndim)), keepdim=True)).mul_(GAIN)


def _as_it_is(width: int) -> nn.Module:
    return nn.Identity()
