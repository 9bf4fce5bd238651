"""Hints of colour spread over a grey picture: to what is near, and to what is as bright."""

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.restorer.tasks.masking import INTERPOLATION_MODES

NUM_LEVELS, CELL_SIZE = 16, 4
"""Levels of brightness told apart; positions, on each axis, of a place."""
SIMILARITY_STD, MIN_WEIGHT = 0.03, 1e-4
"""How far apart in brightness a hint still counts, as a standard deviation; what any hint counts at least."""


def spread_hints(colour: Tensor, known: Tensor, brightness: Tensor) -> tuple[Tensor, Tensor]:
    """(C, *axes), where it is known (1, *axes) of 0 or 1, (1, *axes) in [0, 1] → (C, *axes), (1, *axes).

    Everywhere the mean of the known colours, each weighted by the similarity of the brightness and by
    1/distance²ⁿ on n axes (Shepard 1968), and taken from a grid of places and levels (Chen, Paris and Durand
    2007, doi 10.1145/1276377.1276506), halved over and over; then how near that is, from 0 to 1 where it is
    known: the 2n-th root of the weights, as shares of the most there can be. 0 where nothing is known.
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
    """(L, C, *axes) → the sum of what is held, by 1/distance²ⁿ: each halving looks twice as far."""
    size = held.shape[2:]
    if size.numel() == 1:
        return held
    halved = F.interpolate(held, [(n + 1) // 2 for n in size], mode="area")
    return held + F.interpolate(_near(halved), size, mode=INTERPOLATION_MODES[len(size)]) / (1 << len(size))
