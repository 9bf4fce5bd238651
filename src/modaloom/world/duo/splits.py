"""Splits of the scenes of two objects, by combinations of factors.

Level 1 is where one of the objects, or both, is a pair of shape and colour that training never sees: the same
pairs as with one object. Of the rest, the colours of both objects and the relation are a triple: with every
relation, each colour loses one colour of the other object to level 2 and one to validation. Level 2 takes the
held-out paraphrases, too.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import TypeVar

from modaloom.core.rng import derive
from modaloom.world.duo.ask import questions
from modaloom.world.duo.scene import FACTORS, FITS, INVERSE, Scene, Thing
from modaloom.world.splits import LEVEL1, SPLITS

T = TypeVar("T")
Pair = tuple[str, str]
"""Shape and colour."""

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


def scene(seed: int, split: str, index: int) -> Scene:
    """Scene `index` of a split, the same at any number of scenes: relations, kinds of question, and all that
    each allows are equally likely."""

    def pick(options: Sequence[T], purpose: str) -> T:
        return options[derive(seed, split, index, purpose) % len(options)]

    relation = pick(FACTORS["relation"], "relation")
    pairs = pick(combinations(SPLITS[split], relation), "objects")
    size, other_size, position = pick(sorted(FITS[relation]), "layout")
    first, second = Thing(*pairs[0], size), Thing(*pairs[1], other_size)
    kinds = questions(first, second, relation, position)
    question = pick(kinds[pick(list(kinds), "kind")], "asked")
    return Scene(
        first,
        second,
        relation,
        position,
        background=pick(FACTORS["background"], "background"),
        asked=question.asked,
        about=question.about,
        answer=question.answer,
        nuisance=derive(seed, split, index, "nuisance"),
        novel_words=split == "test-level2",
    )
