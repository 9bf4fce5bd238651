"""Bayes-optimal accuracy of naming the colour from a grey image: the reference for colourisation.

The colours of a tone have nearly equal lightness (`shapes.PALETTE`). What remains is the evidence of the
other factors, through the combinations that the splits hold out, and a little of the grey level itself, since
the hue jitter spreads it differently for each colour.
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
"""Resolution of the grey level, of 255: the noise of a mean over an object."""
NUM_HUES = 4001
"""Quadrature points of the hue jitter."""


@dataclass(frozen=True)
class Chance:
    """Accuracy of the Bayes-optimal colour classifier of a grey image."""

    by_pair: float
    """Given shape and tone."""
    by_tone: float
    """Given all visible factors and the tone."""
    by_level: float
    """Given also the grey level up to `GREY_RESOLUTION`: an upper bound for every model."""


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
    """Expected number of correct names for one object of each colour: at every level the most probable."""
    shares = [_levels(colour) for colour in colours]
    return sum(max(share.get(level, 0.0) for share in shares) for level in set().union(*shares))


@cache
def _levels(colour: str) -> dict[int, float]:
    """Grey level in steps of `GREY_RESOLUTION` → its probability."""
    turns = np.radians(HUE_JITTER * np.linspace(-1, 1, NUM_HUES))
    rgb = np.stack([turn_hue(PALETTE[colour], turn) for turn in turns])
    levels = grey(torch.from_numpy(rgb / 255).T[:, None]) * 255 / GREY_RESOLUTION
    steps = Counter(levels.round().int().flatten().tolist())
    return {step: count / NUM_HUES for step, count in steps.items()}
