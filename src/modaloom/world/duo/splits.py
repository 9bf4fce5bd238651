"""Splits of the scenes of two objects, by combinations of factors.

Level 1: at least one object has a shape × colour pair that is held out of training, the same pairs as with
one object. Otherwise the triple (colour, relation, other colour) decides: for every relation, each colour has
one colour of the other object held out for level 2 and one for validation. Level 2 also uses the held-out
paraphrases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TypeVar

from modaloom.core.errors import BadValue, check_choice
from modaloom.core.rng import derive
from modaloom.world.duo.ask import questions
from modaloom.world.duo.scene import ALLOWED_LAYOUTS, FACTORS, INVERSE, Scene, Thing
from modaloom.world.splits import LEVEL1, NONE, SPLITS

T = TypeVar("T")
Pair = tuple[str, str]
"""Shape and colour."""

OBJECTS = ("first.shape", "first.colour", "second.shape", "second.colour")
LAYOUT = ("first.size", "second.size", "position")
PAIRS: tuple[Pair, ...] = tuple(product(FACTORS["first.shape"], FACTORS["first.colour"]))


def group(first: Pair, relation: str, second: Pair) -> str:
    """The group of a combination: train, val, level1 or level2."""
    if first in LEVEL1 or second in LEVEL1:
        return "level1"
    one, other = (FACTORS["first.colour"].index(colour) for _, colour in (first, second))
    return {0: "level2", 1: "val"}.get((one + other + 2 * list(INVERSE).index(relation)) % 6, "train")


@cache
def combinations(name: str, relation: str) -> tuple[tuple[Pair, Pair], ...]:
    """All pairs of first and second object of a group's scenes with a relation."""
    return tuple(
        (one, two) for one, two in product(PAIRS, PAIRS) if one != two and group(one, relation, two) == name
    )


def scene(seed: int, split: str, index: int, fixed: Mapping[str, str] = NONE) -> Scene:
    """Scene `index` of a split, independent of the number of scenes.

    Relations, kinds of question, and everything that each allows are uniformly distributed.

    Args:
        seed: of the world.
        split: a name in SPLITS.
        index: of the scene.
        fixed: factor → its value in every scene; see `check_fixed`.
    """

    def pick(options: Sequence[T], purpose: str) -> T:
        return options[derive(seed, split, index, purpose) % len(options)]

    allowed = _allowed(SPLITS[split], frozenset(fixed.items()))
    relation = pick(list(allowed), "relation")
    pairs = pick(allowed[relation].objects, "objects")
    size, other_size, position = pick(allowed[relation].layouts, "layout")
    first, second = Thing(*pairs[0], size), Thing(*pairs[1], other_size)
    kinds = questions(first, second, relation, position)
    question = pick(kinds[pick(list(kinds), "kind")], "asked")
    return Scene(
        first,
        second,
        relation,
        position,
        background=fixed.get("background") or pick(FACTORS["background"], "background"),
        asked=question.asked,
        about=question.about,
        answer=question.answer,
        nuisance=derive(seed, split, index, "nuisance"),
        novel_words=split == "test-level2",
    )


def check_fixed(fixed: Mapping[str, str]) -> None:
    """Raise `BadValue` for an unknown factor or value, or if a split would have no scene."""
    for factor, value in fixed.items():
        check_choice(f"value of {factor}", value, FACTORS[check_choice("factor", factor, FACTORS)])
    for split, name in SPLITS.items():
        if not _allowed(name, frozenset(fixed.items())):
            what = ", ".join(f"{factor}={value}" for factor, value in fixed.items())
            raise BadValue(f"{split} has no scene with {what}: splits hold out combinations; fix others")


@dataclass(frozen=True)
class _Allowed:
    objects: tuple[tuple[Pair, Pair], ...]
    layouts: tuple[tuple[str, str, str], ...]


@cache
def _allowed(name: str, fixed: frozenset[tuple[str, str]]) -> Mapping[str, _Allowed]:
    """Relation → objects and layouts of a group with the fixed factors, for relations that have any."""
    asked, found = dict(fixed), {}
    for relation in INVERSE:
        objects = tuple(
            pair for pair in combinations(name, relation) if _fits(asked, OBJECTS, [*pair[0], *pair[1]])
        )
        layouts = tuple(
            layout for layout in sorted(ALLOWED_LAYOUTS[relation]) if _fits(asked, LAYOUT, layout)
        )
        if objects and layouts and asked.get("relation", relation) == relation:
            found[relation] = _Allowed(objects, layouts)
    return found


def _fits(asked: Mapping[str, str], names: Sequence[str], values: Sequence[str]) -> bool:
    return all(asked.get(name, value) == value for name, value in zip(names, values, strict=True))
