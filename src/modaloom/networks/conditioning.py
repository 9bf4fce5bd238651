"""What a network is told beside the signal, and the block that listens.

Shapes: B batch, C channels, W width of what is told, P members of a set, V features of each.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modaloom.networks.conv import CONV
from modaloom.networks.timestep_embedding import NUM_FREQUENCIES, sinusoidal_embedding

Norm = Callable[[int], nn.Module]
"""Channels → a normalisation of them."""

MAX_FOURIER_FREQUENCIES = 8
"""The most that tell more of an 8-bit signal."""


class ConditioningEmbedding(nn.Module):
    """Time and context → one vector a sample.

    Where asked for, time may be two columns, t and how far the output has to reach down from there (mean
    flow); one column is a reach of 0. The context is a set: the mean of what a small network says of each
    member (Zaheer et al. 2017, arXiv 1703.06114, theorem 2), so that neither its order nor its size has a
    meaning.
    """

    def __init__(self, width: int, context_features: int = 0, *, interval_conditioned: bool = False) -> None:
        """`context_features` V of the context's members; 0: there is no context."""
        super().__init__()
        self.time = _two_layers(2 * NUM_FREQUENCIES, width)
        self.interval = _two_layers(2 * NUM_FREQUENCIES, width) if interval_conditioned else None
        self.member = _two_layers(context_features, width) if context_features else None

    def forward(self, t: Tensor, context_BPV: Tensor | None = None) -> Tensor:
        """`t` (B,) or (B, 2) → (B, W)."""
        t_B, interval_B = t.unbind(1) if t.ndim == 2 else (t, torch.zeros_like(t))
        emb: Tensor = self.time(sinusoidal_embedding(t_B, NUM_FREQUENCIES).to(next(self.time.parameters())))
        if self.interval is not None:
            emb = emb + self.interval(sinusoidal_embedding(interval_B, NUM_FREQUENCIES).to(emb))
        if self.member is not None and context_BPV is not None:
            emb = emb + self.member(context_BPV).mean(1)
        return emb


def _two_layers(features: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width))


class ResBlock(nn.Module):
    """skip(x) + conv(act(norm(conv(act(norm x)) + linear(act emb)))); skip(x) at initialisation.

    With group norms it is the residual block of DDPM's U-Net (Ho et al. 2020, arXiv 2006.11239, appendix B).
    """

    def __init__(self, width_in: int, width: int, *, emb_width: int, axes: int, norm: Norm) -> None:
        super().__init__()
        conv = CONV[axes]
        self.norm_a, self.norm_b = norm(width_in), norm(width)
        self.a, self.b = conv(width_in, width, 3, padding=1), conv(width, width, 3, padding=1)
        self.emb_proj = nn.Linear(emb_width, width)
        self.skip = nn.Identity() if width_in == width else conv(width_in, width, 1)
        zero_init(self.b)

    def forward(self, x: Tensor, emb_BW: Tensor) -> Tensor:
        """(B, width_in, *axes) → (B, width, *axes)."""
        emb: Tensor = self.emb_proj(F.silu(emb_BW))
        h = self.a(F.silu(self.norm_a(x))) + emb.reshape(*emb.shape, *[1] * (x.ndim - 2))
        y: Tensor = self.skip(x) + self.b(F.silu(self.norm_b(h)))
        return y


def zero_init(layer: nn.Conv1d | nn.Conv2d | nn.Conv3d) -> None:
    """The layer puts out 0 until it has learned something."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def input_channels(channels: int, condition_channels: int, fourier_frequencies: int) -> int:
    """Channels of what `concat_condition` makes of a state and a condition."""
    return channels + condition_channels * (1 + 2 * fourier_frequencies)


def concat_condition(state: Tensor, condition: Tensor | None, fourier_frequencies: int = 0) -> Tensor:
    """(B, C, *axes), condition (B, D, *axes) in [0, 1] → (B, C + D · (1 + 2 · frequencies), *axes).

    The condition is moved to [-1, 1]; sin and cos of 2ⁿ π times it, for n = 1, 2, …, tell levels apart that
    lie close together (Kingma et al. 2021, arXiv 2107.00630).
    """
    if condition is None:
        return state
    level = condition.mul(2).sub_(1)
    turns = [2**n * math.pi * level for n in range(1, fourier_frequencies + 1)]
    return torch.cat([state, level, *(wave for turn in turns for wave in (turn.sin(), turn.cos()))], 1)


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """(B, C, *axes) → the same with every axis a multiple of `multiple`, the last values repeated."""
    spare = [(0, -side % multiple) for side in reversed(x.shape[2:])]
    return F.pad(x, [n for pair in spare for n in pair], mode="replicate") if any(map(max, spare)) else x


def crop_like(x: Tensor, like: Tensor) -> Tensor:
    """The first corner of `x`, of the grid of `like`: the way back of `pad_to_multiple`."""
    for axis, side in enumerate(like.shape[2:], 2):
        x = x.narrow(axis, 0, side)
    return x
