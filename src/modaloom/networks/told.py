"""What a network is told beside the signal, and the block that listens.

Shapes: B batch, C channels, W width of what is told, P members of a set, V features of each.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modaloom.networks.conv import CONV
from modaloom.networks.level import WAVES, waves

Norm = Callable[[int], nn.Module]
"""Channels → a normalisation of them."""

OCTAVES = 8
"""The most that tell more of an 8-bit signal."""


class Told(nn.Module):
    """Time and context → one vector a sample.

    Where asked for, time may be two columns, t and how far the output has to reach down from there (mean
    flow); one column is a reach of 0. The context is a set: the mean of what a small network says of each
    member (Zaheer et al. 2017, arXiv 1703.06114, theorem 2), so that neither its order nor its size has a
    meaning.
    """

    def __init__(self, width: int, features: int = 0, *, reaching: bool = False) -> None:
        """`features` V of the context's members; 0: there is no context."""
        super().__init__()
        self.time = _two_layers(2 * WAVES, width)
        self.reach = _two_layers(2 * WAVES, width) if reaching else None
        self.member = _two_layers(features, width) if features else None

    def forward(self, t: Tensor, context_BPV: Tensor | None = None) -> Tensor:
        """`t` (B,) or (B, 2) → (B, W)."""
        t_B, reach_B = t.unbind(1) if t.ndim == 2 else (t, torch.zeros_like(t))
        told: Tensor = self.time(waves(t_B, WAVES).to(next(self.time.parameters())))
        if self.reach is not None:
            told = told + self.reach(waves(reach_B, WAVES).to(told))
        if self.member is not None and context_BPV is not None:
            told = told + self.member(context_BPV).mean(1)
        return told


def _two_layers(features: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width))


class ToldBlock(nn.Module):
    """skip(x) + conv(act(norm(conv(act(norm x)) + linear(act told)))); skip(x) at initialisation.

    With group norms it is the residual block of DDPM's U-Net (Ho et al. 2020, arXiv 2006.11239, appendix B).
    """

    def __init__(self, width_in: int, width: int, *, told: int, axes: int, norm: Norm) -> None:
        super().__init__()
        conv = CONV[axes]
        self.norm_a, self.norm_b = norm(width_in), norm(width)
        self.a, self.b = conv(width_in, width, 3, padding=1), conv(width, width, 3, padding=1)
        self.listen = nn.Linear(told, width)
        self.skip = nn.Identity() if width_in == width else conv(width_in, width, 1)
        silence(self.b)

    def forward(self, x: Tensor, told_BW: Tensor) -> Tensor:
        """(B, width_in, *axes) → (B, width, *axes)."""
        heard: Tensor = self.listen(F.silu(told_BW))
        h = self.a(F.silu(self.norm_a(x))) + heard.reshape(*heard.shape, *[1] * (x.ndim - 2))
        y: Tensor = self.skip(x) + self.b(F.silu(self.norm_b(h)))
        return y


def silence(layer: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> None:
    """The layer puts out 0 until it has learned something."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def breadth(channels: int, condition: int, octaves: int) -> int:
    """Channels of what `shown` makes of a state and a condition."""
    return channels + condition * (1 + 2 * octaves)


def shown(state: Tensor, condition: Tensor | None, octaves: int = 0) -> Tensor:
    """State (B, C, *axes), condition (B, D, *axes) in [0, 1] → (B, C + D · (1 + 2 · octaves), *axes).

    The condition is moved to [-1, 1]; sin and cos of 2ⁿ π times it, for n = 1, 2, …, tell levels apart that
    lie close together (Kingma et al. 2021, arXiv 2107.00630).
    """
    if condition is None:
        return state
    level = condition.mul(2).sub_(1)
    turns = [2**n * math.pi * level for n in range(1, octaves + 1)]
    return torch.cat([state, level, *(wave for turn in turns for wave in (turn.sin(), turn.cos()))], 1)


def padded(x: Tensor, step: int) -> Tensor:
    """(B, C, *axes) → the same with every axis a multiple of `step`, the last values repeated."""
    spare = [(0, -side % step) for side in reversed(x.shape[2:])]
    return F.pad(x, [n for pair in spare for n in pair], mode="replicate") if any(map(max, spare)) else x


def cropped(x: Tensor, like: Tensor) -> Tensor:
    """The first corner of `x`, of the grid of `like`: the way back of `padded`."""
    for axis, side in enumerate(like.shape[2:], 2):
        x = x.narrow(axis, 0, side)
    return x
