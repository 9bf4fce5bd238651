"""Conditioning of signal networks: time and context embedding, residual block, channel concatenation.

Shapes: B batch, C channels, W width of the embedding, P members of a set, V features of each.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modaloom.networks.conv import Conv, same_conv
from modaloom.networks.timestep_embedding import NUM_FREQUENCIES, sinusoidal_embedding

Norm = Callable[[int], nn.Module]
"""Channels → normalisation layer."""

MAX_FOURIER_FREQUENCIES = 8
"""More frequencies add nothing for an 8-bit signal."""


class ConditioningEmbedding(nn.Module):
    """Time and context → one embedding vector per sample.

    With `interval_conditioned`, time may have two columns: t and the interval length t − r (mean flow); one
    column means t − r = 0. The context is embedded by a deep set, the mean of an MLP of each member (Zaheer
    et al. 2017, arXiv 1703.06114, theorem 2), and so independent of its members' order.
    """

    def __init__(self, width: int, context_features: int = 0, *, interval_conditioned: bool = False) -> None:
        """`context_features`: V of each context member; 0: no context."""
        super().__init__()
        self.time = _mlp(2 * NUM_FREQUENCIES, width)
        self.interval = _mlp(2 * NUM_FREQUENCIES, width) if interval_conditioned else None
        self.member = _mlp(context_features, width) if context_features else None

    def forward(self, t: Tensor, context_BPV: Tensor | None = None) -> Tensor:
        """`t` (B,) or (B, 2) in [0, 1], context (B, P, V) → (B, W)."""
        t_B, interval_B = t.unbind(1) if t.ndim == 2 else (t, torch.zeros_like(t))
        emb: Tensor = self.time(sinusoidal_embedding(t_B, NUM_FREQUENCIES).to(next(self.time.parameters())))
        if self.interval is not None:
            emb = emb + self.interval(sinusoidal_embedding(interval_B, NUM_FREQUENCIES).to(emb))
        if self.member is not None and context_BPV is not None:
            emb = emb + self.member(context_BPV).mean(1)
        return emb


def _mlp(features: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width))


class ResBlock(nn.Module):
    """skip(x) + conv(act(norm(conv(act(norm x)) + linear(act emb)))); skip(x) at initialisation.

    With group norms, the residual block of DDPM's U-Net (Ho et al. 2020, arXiv 2006.11239, appendix B).

    Args:
        width_in: input channels.
        width: output channels.
        emb_width: W of the conditioning embedding.
        axes: 1, 2 or 3.
        norm: channels → normalisation layer.
        kernel: sides of the kernels, odd; one for all axes or one per axis.
    """

    def __init__(
        self,
        width_in: int,
        width: int,
        *,
        emb_width: int,
        axes: int,
        norm: Norm,
        kernel: int | Sequence[int] = 3,
    ) -> None:
        super().__init__()
        self.norm_a, self.norm_b = norm(width_in), norm(width)
        self.a, self.b = (same_conv(axes, n, width, kernel) for n in (width_in, width))
        self.emb_proj = nn.Linear(emb_width, width)
        self.skip = nn.Identity() if width_in == width else same_conv(axes, width_in, width, 1)
        zero_init(self.b)

    def forward(self, x: Tensor, emb_BW: Tensor) -> Tensor:
        """(B, width_in, *axes), embedding (B, W) → (B, width, *axes)."""
        emb: Tensor = self.emb_proj(F.silu(emb_BW))
        h = self.a(F.silu(self.norm_a(x))) + emb.reshape(*emb.shape, *[1] * (x.ndim - 2))
        y: Tensor = self.skip(x) + self.b(F.silu(self.norm_b(h)))
        return y


def zero_init(layer: Conv) -> None:
    """Set weight and bias to 0."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def input_channels(channels: int, condition_channels: int, fourier_frequencies: int) -> int:
    """The number of channels that `concat_condition` returns."""
    return channels + condition_channels * (1 + 2 * fourier_frequencies)


def concat_condition(state: Tensor, condition: Tensor | None, fourier_frequencies: int = 0) -> Tensor:
    """(B, C, *axes), condition (B, D, *axes) in [0, 1] → (B, C + D · (1 + 2 · frequencies), *axes).

    The condition is scaled to [-1, 1] and joined by Fourier features, its sine and cosine at 2ⁿ π for
    n = 1, 2, …, which resolve close values (Kingma et al. 2021, arXiv 2107.00630).
    """
    if condition is None:
        return state
    scaled = condition.mul(2).sub_(1)
    angles = [2**n * math.pi * scaled for n in range(1, fourier_frequencies + 1)]
    return torch.cat([state, scaled, *(wave for angle in angles for wave in (angle.sin(), angle.cos()))], 1)


def crop_like(x: Tensor, like: Tensor) -> Tensor:
    """Crop `x` at the end of each axis to the grid of `like`: undoes `pad_to_stride`."""
    for axis, side in enumerate(like.shape[2:], 2):
        x = x.narrow(axis, 0, side)
    return x
