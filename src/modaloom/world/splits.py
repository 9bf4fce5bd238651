"""Splits by combinations of factors (compositional generalisation), never by file.

Level 1 holds out 5 of the 24 shape × colour pairs, at most one per colour, as in a Latin square: every shape
and every colour stays frequent. For each of the other 19 pairs, one of the nine positions is held out for
level 2 and one for validation. So a shape × colour × position triple occurs in exactly one of train, val,
level 1 and level 2; test-seen has the triples of train with new nuisance.

For each of the 19 pairs, one of the four directions of motion also occurs in level 2 alone. Level 2 also uses
the held-out paraphrases and the held-out voices.
"""

from collections.abc import Mapping
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import TypeVar

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.rng import derive
from modaloom.world.scene import DIRECTIONS, FACTORS, RESTING, SIDE, STILL, VISIBLE, Scene

T = TypeVar("T")

LEVEL1: frozenset[tuple[str, str]] = frozenset(
    {("circle", "red"), ("square", "green"), ("triangle", "blue"), ("star", "yellow"), ("circle", "purple")}
)
"""Shape × colour pairs held out of training."""
VOICES = frozenset(FACTORS["voice"][-4:])
"""The voices held out of training."""

SPLITS: Mapping[str, str] = {
    "train": "train",
    "val": "val",
    "test-seen": "train",
    "test-level1": "level1",
    "test-level2": "level2",
}
"""Split (folder) → group of combinations."""

NONE: Mapping[str, str] = MappingProxyType({})


def group(factors: Mapping[str, str]) -> str:
    """The group of a combination of VISIBLE factors: train, val, level1 or level2."""
    if (factors["shape"], factors["colour"]) in LEVEL1:
        return "level1"
    shape, colour, place = (FACTORS[name].index(factors[name]) for name in ("shape", "colour", "position"))
    return {0: "level2", 1: "val"}.get((place + 2 * shape + 4 * colour) % 9, "train")


@cache
def combinations(name: str) -> tuple[tuple[str, ...], ...]:
    """All combinations of a group, each in the order of VISIBLE."""
    every = product(*(FACTORS[factor] for factor in VISIBLE))
    return tuple(c for c in every if group(dict(zip(VISIBLE, c))) == name)


@cache
def unseen(name: str, shape: str, colour: str) -> Mapping[str, tuple[str, ...]]:
    """Factor that an image does not show → its values in a group, equally likely, for a shape and colour.

    `STILL` is repeated so that half of the scenes are still.
    """
    moves = tuple(move for move in FACTORS["motion"][1:] if _may_move(name, shape, colour, move.split()[0]))
    special = {
        "motion": (STILL,) * len(moves) + moves,
        "voice": tuple(voice for voice in FACTORS["voice"] if (voice in VOICES) == (name == "level2")),
    }
    return {factor: special.get(factor, FACTORS[factor]) for factor in RESTING}


def _may_move(name: str, shape: str, colour: str, direction: str) -> bool:
    if name == "level1":
        return True
    turn = (FACTORS["shape"].index(shape) + FACTORS["colour"].index(colour)) % len(DIRECTIONS)
    return (direction == DIRECTIONS[turn]) == (name == "level2")


def scene(seed: int, split: str, index: int, fixed: Mapping[str, str] = NONE) -> Scene:
    """Scene `index` of a split, independent of the number of scenes; uniform except for the motion.

    Args:
        seed: of the world.
        split: a name in SPLITS.
        index: of the scene.
        fixed: factor → its value in every scene; see `check_fixed`.
    """
    name = SPLITS[split]
    shown = dict(zip(VISIBLE, _choose(_allowed(name, _key(fixed)), seed, split, index, "factors")))
    hidden = unseen(name, shown["shape"], shown["colour"])
    return Scene(
        **shown,
        **{f: fixed[f] if f in fixed else _choose(hidden[f], seed, split, index, f) for f in RESTING},
        asked=_choose(VISIBLE, seed, split, index, "asked"),
        nuisance=derive(seed, split, index, "nuisance"),
        novel_words=name == "level2",
        side=SIDE,
    )


def check_fixed(fixed: Mapping[str, str]) -> None:
    """Raise `BadValue` for an unknown factor or value, or if a split would have no scene."""
    for factor, value in fixed.items():
        check_choice(f"value of {factor}", value, FACTORS[check_choice("factor", factor, FACTORS)])
    for split, name in SPLITS.items():
        if not _allowed(name, _key(fixed)):
            what = ", ".join(f"{factor}={value}" for factor, value in fixed.items())
            raise BadValue(f"{split} has no scene with {what}: splits hold out combinations; fix others")


@cache
def _allowed(name: str, fixed: frozenset[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """The group's combinations that are compatible with the fixed factors."""
    return tuple(c for c in combinations(name) if _allows(name, dict(zip(VISIBLE, c)), fixed))


def _allows(name: str, shown: Mapping[str, str], fixed: frozenset[tuple[str, str]]) -> bool:
    hidden = unseen(name, shown["shape"], shown["colour"])
    return all(value in hidden.get(f, ()) or value == shown.get(f) for f, value in fixed)


def _key(fixed: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(fixed.items())


def _choose(options: tuple[T, ...], seed: int, *path: str | int) -> T:
    return options[derive(seed, *path) % len(options)]
