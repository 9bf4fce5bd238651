"""Splits of the scenes of two objects, by combinations of factors.

Level 1 is where one of the objects, or both, is a pair of shape and colour that training never sees: the same
pairs as with one object. Of the rest, the colours of both objects and the relation are a triple: with every
relation, each colour loses one colour of the other object to level 2 and one to validation. Level 2 takes the
held-out paraphrases, too.
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
    """train, val, level1 or level2: where a combination belongs."""
    if first in LEVEL1 or second in LEVEL1:
        return "level1"
    one, other = (FACTORS["first.colour"].index(colour) for _, colour in (first, second))
    return {0: "level2", 1: "val"}.get((one + other + 2 * list(INVERSE).index(relation)) % 6, "train")


@cache
def combinations(name: str, relation: str) -> tuple[tuple[Pair, Pair], ...]:
    """First and second object of a group's scenes with a relation."""
    return tuple(
        (one, two) for one, two in product(PAIRS, PAIRS) if one != two and group(one, relation, two) == name
    )


def scene(seed: int, split: str, index: int, fixed: Mapping[str, str] = NONE) -> Scene:
    """Scene `index` of a split, the same at any number of scenes: relations, kinds of question, and all that
    each allows are equally likely.

    `fixed`: factor → the one value that is drawn; see `check_fixed`.
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
    """Raise `BadValue` for what is no factor or none of its values, or leaves a split without a scene."""
    for factor, value in fixed.items():
        check_choice(f"value of {factor}", value, FACTORS[check_choice("factor", factor, FACTORS)])
    for split, name in SPLITS.items():
        if not _allowed(name, frozenset(fixed.items())):
            what = ", ".join(f"{factor}={value}" for factor, value in fixed.items())
            raise BadValue(f"{split} has no scene with {what}: splits keep combinations apart; fix others")


@dataclass(frozen=True)
class _Allowed:
    objects: tuple[tuple[Pair, Pair], ...]
    layouts: tuple[tuple[str, str, str], ...]


@cache
def _allowed(name: str, fixed: frozenset[tuple[str, str]]) -> Mapping[str, _Allowed]:
    """Relation → all objects and layouts of a group that the fixed factors allow, where there are some."""
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
