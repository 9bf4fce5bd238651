"""Splits by combinations of factors, never by file.

Level 1 holds out 5 of the 24 shape × colour pairs, at most one per colour, as in a Latin square: every shape
and every colour stays common. Each of the other 19 pairs loses one of the nine positions to level 2 and one
to validation: new triples of known pairs. So a shape × colour × position triple occurs in one of train, val,
level 1 and level 2 alone; test-seen takes the triples of train with fresh nuisance. Level 2 also takes the
held-out paraphrases of the caption.
"""

from collections.abc import Mapping
from functools import cache
from itertools import product

from modaloom.core.rng import derive
from modaloom.world.scene import FACTORS, SIDE, Scene

LEVEL1: frozenset[tuple[str, str]] = frozenset(
    {("circle", "red"), ("square", "green"), ("triangle", "blue"), ("star", "yellow"), ("circle", "purple")}
)
"""Shape × colour pairs that training never sees."""

SPLITS: Mapping[str, str] = {
    "train": "train",
    "val": "val",
    "test-seen": "train",
    "test-level1": "level1",
    "test-level2": "level2",
}
"""Folder → the group of combinations that it draws from."""


def group(factors: Mapping[str, str]) -> str:
    """train, val, level1 or level2: where a combination belongs."""
    if (factors["shape"], factors["colour"]) in LEVEL1:
        return "level1"
    shape, colour, place = (FACTORS[name].index(factors[name]) for name in ("shape", "colour", "position"))
    return {0: "level2", 1: "val"}.get((place + 2 * shape + 4 * colour) % 9, "train")


@cache
def combinations(name: str) -> tuple[tuple[str, ...], ...]:
    """All combinations of a group, each in the order of FACTORS."""
    return tuple(c for c in product(*FACTORS.values()) if group(dict(zip(FACTORS, c))) == name)


def scene(seed: int, split: str, index: int) -> Scene:
    """Scene `index` of a split: a uniform draw, the same at any number of scenes."""
    allowed, asked = combinations(SPLITS[split]), tuple(FACTORS)
    values = allowed[derive(seed, split, index, "factors") % len(allowed)]
    return Scene(
        **dict(zip(FACTORS, values)),
        asked=asked[derive(seed, split, index, "asked") % len(asked)],
        nuisance=derive(seed, split, index, "nuisance"),
        novel_words=split == "test-level2",
        side=SIDE,
    )
