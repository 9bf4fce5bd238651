"""Propagation of colour hints over a grey image, by distance and similarity of brightness."""

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.restorer.tasks.masking import INTERPOLATION_MODES

NUM_LEVELS, CELL_SIZE = 16, 4
"""Bilateral grid: number of brightness levels; positions per cell along each axis."""
SIMILARITY_STD, MIN_WEIGHT = 0.03, 1e-4
"""Gaussian weight of a hint by difference in brightness: standard deviation, and minimum weight."""


def spread_hints(colour: Tensor, known: Tensor, brightness: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the propagated colour (C, *axes) and the proximity of hints (1, *axes).

    The colour is the mean of the known colours, weighted by similarity of brightness and by 1/distance²ⁿ on n
    axes (Shepard 1968), computed on a bilateral grid (Chen, Paris and Durand 2007, doi
    10.1145/1276377.1276506) that is halved repeatedly. The proximity is 1 at hints, else the 2n-th root of
    the weight divided by its maximum, in [0, 1]. Both are 0 if nothing is known.

    Args:
        colour: (C, *axes).
        known: (1, *axes), 1 at hints, else 0.
        brightness: (1, *axes) in [0, 1].
    """
    size, mode = colour.shape[1:], INTERPOLATION_MODES[colour.ndim - 1]
    places, levels = [-(-n // CELL_SIZE) for n in size], torch.linspace(0, 1, NUM_LEVELS).to(colour)
    shares = [(1 - (brightness - level).abs() * (NUM_LEVELS - 1)).clamp_min(0) for level in levels]
    weighed = torch.cat([colour, torch.ones_like(known)]) * known
    held = torch.cat([F.interpolate((weighed * share)[None], places, mode="area") for share in shares])
    alike = torch.exp(-((levels[:, None] - levels) / SIMILARITY_STD).square() / 2) + MIN_WEIGHT
    near = torch.tensordot(alike, _near(held), 1)
    found = torch.zeros_like(weighed)
    for share, level in zip(shares, near):
        found += share * F.interpolate(level[None], size, mode=mode)[0]
    mean, weight = found[:-1] / found[-1:].clamp_min(1e-30), found[-1:] * (1 - 0.5 ** len(size))
    nearness = weight.clamp(0, 1) ** (0.5 / len(size))
    return torch.lerp(mean, colour, known), torch.lerp(nearness, known, known)


def _near(held: Tensor) -> Tensor:
    """(L, C, *axes) → the sum weighted by 1/distance²ⁿ; each halving doubles the range."""
    size = held.shape[2:]
    if size.numel() == 1:
        return held
    halved = F.interpolate(held, [(n + 1) // 2 for n in size], mode="area")
    return held + F.interpolate(_near(halved), size, mode=INTERPOLATION_MODES[len(size)]) / (1 << len(size))
