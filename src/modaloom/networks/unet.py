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
from modaloom.networks.conv import CONV, exact
from modaloom.networks.told import OCTAVES, Told, ToldBlock, breadth, cropped, padded, shown, silence


@dataclass(frozen=True)
class UNetConfig:
    """How large a U-Net is."""

    widths: tuple[int, ...] = (32, 64, 128)
    """Channels of each scale, finest first; the grid halves between two scales."""
    blocks: int = 1
    """Residual blocks of a scale on the way down; one more on the way up."""
    groups: int = 8
    """Of the group norms; divides every width."""
    heads: int = 0
    """Of the attention at the coarsest scale; 0: there is none."""
    octaves: int = 0
    """In which the condition is shown, too, so that levels close together are told apart (`shown`)."""

    def __post_init__(self) -> None:
        check_range("blocks", self.blocks, 1)
        check_range("groups", self.groups, 1)
        check_range("heads", self.heads, 0)
        check_range("octaves", self.octaves, 0, OCTAVES)
        if not self.widths or any(width % self.groups for width in self.widths):
            raise BadValue(f"widths are {self.widths}; each must be a multiple of groups, {self.groups}")
        if self.heads and self.widths[-1] % self.heads:
            raise BadValue(f"{self.heads} heads do not divide the last width, {self.widths[-1]}")


class UNet(nn.Module):
    """State, time, condition and context → output in the state's shape; 0 at initialisation.

    The U-Net of DDPM (Ho et al. 2020, arXiv 2006.11239, appendix B) with attention at the coarsest scale
    alone. A grid that the coarsest scale does not divide is padded at its ends with the last values, and the
    output is cropped.

    Args:
        channels: C of the state.
        axes: 1, 2 or 3.
        condition: D, the channels of a signal in [0, 1] on the state's grid; 0: there is none.
        features: V of the context's members (`Told`); 0: there is none.
        reaching: whether time may be two columns (`Told`).
    """

    def __init__(
        self,
        channels: int,
        config: UNetConfig,
        *,
        axes: int,
        condition: int = 0,
        features: int = 0,
        reaching: bool = False,
    ) -> None:
        super().__init__()
        widths, told = config.widths, 4 * config.widths[0]
        norm = partial(nn.GroupNorm, config.groups)
        block = partial(ToldBlock, told=told, axes=axes, norm=norm)
        self.step = 2 ** (len(widths) - 1)
        self.told = Told(told, features, reaching=reaching)
        self.octaves = config.octaves
        self.first = CONV[axes](breadth(channels, condition, self.octaves), widths[0], 3, padding=1)
        kept = [widths[0]]
        self.down = nn.ModuleList()
        for number, width in enumerate(widths, 1):
            last = number == len(widths)
            self.down.append(Descent(kept[-1], width, block, blocks=config.blocks, axes=0 if last else axes))
            kept += [width] * (config.blocks + (not last))
        self.middle = Middle(widths[-1], block, heads=config.heads)
        self.up, before = nn.ModuleList(), widths[-1]
        for number, width in enumerate(reversed(widths), 1):
            beside = [kept.pop() for _ in range(config.blocks + 1)]
            self.up.append(Ascent(before, width, beside, block, axes=0 if number == len(widths) else axes))
            before = width
        self.norm, self.last = norm(widths[0]), CONV[axes](widths[0], channels, 3, padding=1)
        silence(self.last)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """The kernels between the first layer and the last."""
        parts = (self.down, self.middle, self.up)
        return [p for part in parts for p in part.parameters() if p.ndim > 2]

    def forward(
        self, state: Tensor, t: Tensor, condition: Tensor | None = None, context_BPV: Tensor | None = None
    ) -> Tensor:
        """(B, C, *axes), t in [0, 1] → (B, C, *axes)."""
        told_BW = self.told(t, context_BPV)
        x = padded(shown(state, condition, self.octaves), self.step)
        with exact(x):
            x = self.first(x.to(self.first.weight.dtype))
        kept = [x]
        for descent in self.down:
            kept += descent(kept[-1], told_BW)
        x = self.middle(kept[-1], told_BW)
        for ascent in self.up:
            x = ascent(x, kept, told_BW)
        with exact(x):
            x = self.last(F.silu(self.norm(x.to(self.last.weight.dtype))))
        return cropped(x, state)


Make = Callable[[int, int], ToldBlock]
"""Width in, width → a residual block."""


class Descent(nn.Module):
    """A scale on the way down: residual blocks, then half the grid."""

    def __init__(self, width_in: int, width: int, make: Make, *, blocks: int, axes: int) -> None:
        """`axes` 0 for the last scale, whose grid stays."""
        super().__init__()
        self.blocks = nn.ModuleList(make(w, width) for w in (width_in, *[width] * (blocks - 1)))
        self.halve = CONV[axes](width, width, 3, stride=2, padding=1) if axes else None

    def forward(self, x: Tensor, told_BW: Tensor) -> list[Tensor]:
        """What each of its layers puts out."""
        kept = []
        for block in self.blocks:
            x = block(x, told_BW)
            kept.append(x)
        return kept if self.halve is None else [*kept, self.halve(x)]


class Middle(nn.Module):
    """The coarsest scale: a residual block, attention over all positions, a residual block."""

    def __init__(self, width: int, make: Make, *, heads: int) -> None:
        super().__init__()
        self.a, self.b = make(width, width), make(width, width)
        self.norm = nn.LayerNorm(width, bias=False) if heads else None
        self.attention = Attention(width, heads) if heads else None

    def forward(self, x: Tensor, told_BW: Tensor) -> Tensor:
        x = self.a(x, told_BW)
        if self.attention is not None and self.norm is not None:
            tokens_BLC = x.flatten(2).transpose(1, 2)
            x = x + self.attention(self.norm(tokens_BLC)).transpose(1, 2).reshape(x.shape)
        y: Tensor = self.b(x, told_BW)
        return y


class Ascent(nn.Module):
    """A scale on the way up: residual blocks over what is there and what was kept, then twice the grid."""

    def __init__(self, width_in: int, width: int, kept: list[int], make: Make, *, axes: int) -> None:
        """`kept` widths in the order in which they are taken; `axes` 0 for the last scale."""
        super().__init__()
        before = (width_in, *[width] * (len(kept) - 1))
        self.blocks = nn.ModuleList(make(here + there, width) for here, there in zip(before, kept))
        self.smooth = CONV[axes](width, width, 3, padding=1) if axes else None

    def forward(self, x: Tensor, kept: list[Tensor], told_BW: Tensor) -> Tensor:
        """Takes one tensor off the end of `kept` for every block."""
        for block in self.blocks:
            x = block(torch.cat([x, kept.pop()], 1), told_BW)
        if self.smooth is not None:
            x = self.smooth(F.interpolate(x, scale_factor=2.0))
        return x
