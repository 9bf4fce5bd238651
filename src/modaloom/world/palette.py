"""How well a colour can be told from the grey picture: what colourising is scored against.

Within a tone the colours have nearly the same lightness (`shapes.PALETTE`), so that the rest of the scene
speaks for a colour, by the combinations that the splits leave out; and a little the level of grey itself,
which the hue's jitter spreads differently for each colour.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from modaloom.degradations.grey import grey
from modaloom.world.scene import TONES, VISIBLE
from modaloom.world.shapes import HUE_JITTER, PALETTE, turn_hue
from modaloom.world.splits import combinations

GREY_RESOLUTION = 0.1
"""Levels of grey, of 255, that an observer tells apart: the noise of a mean over an object."""
NUM_HUES = 4001
"""Points of the hue's jitter, evenly: a quadrature."""


@dataclass(frozen=True)
class Chance:
    """Of naming a colour right, for the best observer of a grey picture."""

    by_pair: float
    """From the shape and the tone: which pairs of shape and colour occur."""
    by_tone: float
    """From the tone and all else that the picture shows."""
    by_level: float
    """And from the level of grey, seen to `GREY_RESOLUTION`: a bound for every model."""


def chance(group: str = "train") -> Chance:
    """Exact, by enumeration of a group's combinations, all equally likely; see `splits.group`."""
    contexts, pairs = defaultdict(list), Counter[tuple[str, str]]()
    for values in combinations(group):
        facts = dict(zip(VISIBLE, values))
        colour = facts.pop("colour")
        contexts[(*facts.values(), TONES[colour])].append(colour)
        pairs[facts["shape"], colour] += 1
    commonest: dict[tuple[str, str], int] = {}
    for (shape, colour), count in pairs.items():
        place = shape, TONES[colour]
        commonest[place] = max(count, commonest.get(place, 0))
    right = sum(commonest.values()), len(contexts), sum(map(_right, contexts.values()))
    return Chance(*(one / pairs.total() for one in right))


def _right(colours: Sequence[str]) -> float:
    """Colours named right, of one each: at every level the likeliest is named."""
    shares = [_levels(colour) for colour in colours]
    return sum(max(share.get(level, 0.0) for share in shares) for level in set().union(*shares))


@cache
def _levels(colour: str) -> dict[int, float]:
    """Level in steps → its share."""
    turns = np.radians(HUE_JITTER * np.linspace(-1, 1, NUM_HUES))
    rgb = np.stack([turn_hue(PALETTE[colour], turn) for turn in turns])
    levels = grey(torch.from_numpy(rgb / 255).T[:, None]) * 255 / GREY_RESOLUTION
    steps = Counter(levels.round().int().flatten().tolist())
    return {step: count / NUM_HUES for step, count in steps.items()}
