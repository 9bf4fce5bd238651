"""The exact mutual information of two streams of the world, where there is one.

A stream shows the facts that it determines and nuisance that is independent of them. Two streams that share
no nuisance are then independent given the facts, and I(A; B) is that of the facts that each determines: a sum
over all scenes that a split can draw.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any, cast

import numpy as np

from modaloom.core.errors import check_choice
from modaloom.world import STREAMS
from modaloom.world.scene import FACTORS, PART_OF, RESTING, VISIBLE, Scene
from modaloom.world.splits import NONE, SPLITS, combinations, unseen

Facts = Mapping[str, str]


def exact_mutual_information(
    one: str, other: str, *, split: str = "train", fixed: Mapping[str, str] = NONE
) -> float | None:
    """I(one; other) in bits over the scenes of a split; None where the streams share nuisance.

    `fixed`: factor → the one value that it has in that world; see `fixed_facts`.
    Raises `BadValue` for a stream or a split that the world does not have.
    """
    for name in (one, other):
        check_choice("stream of the world", name, STREAMS)
    check_choice("split", split, SPLITS)
    if _purposes(one) & _purposes(other):
        return None
    left, right = STREAMS[one].determines, STREAMS[other].determines
    law = list(_law(SPLITS[split], {PART_OF.get(slot, slot) for slot in (*left, *right)}, fixed))
    bits = _entropy(law, left) + _entropy(law, right) - _entropy(law, (*left, *right))
    return round(max(0.0, bits), 9)  # sums of many small weights: what is left of a 0 is rounding


def fixed_facts(facts: Iterable[Facts]) -> dict[str, str]:
    """Factor → its value, of those that never vary in a world; one that its facts do not name rests."""
    seen: dict[str, set[str]] = {name: set() for name in FACTORS}
    for line in facts:
        for name, values in seen.items():
            values.add(line.get(name, RESTING.get(name, "")))
    return {name: min(values) for name, values in seen.items() if len(values) == 1}


def _law(group: str, needed: Collection[str], fixed: Mapping[str, str]) -> Iterator[tuple[Facts, float]]:
    """Facts of every scene of a group, and its probability; what is not needed does not vary."""
    asked = VISIBLE if {"asked", "answer"} & set(needed) else VISIBLE[:1]
    shown = [s for s in (dict(zip(VISIBLE, c)) for c in combinations(group)) if _fits(s, group, fixed)]
    for visible in shown:
        hidden = unseen(group, visible["shape"], visible["colour"])
        drawn = {name: _options(hidden[name], name, fixed) for name in RESTING if name in needed}
        scenes = list(product(asked, *drawn.values()))
        for question, *values in scenes:
            one = _scene({**visible, "asked": question, **dict(zip(drawn, values))})
            yield one.facts, 1 / len(shown) / len(scenes)


def _scene(factors: Mapping[str, Any]) -> Scene:
    return Scene(**factors)


def _fits(visible: Mapping[str, str], group: str, fixed: Mapping[str, str]) -> bool:
    """Whether a group draws such a scene, given what is fixed: not every shape may move everywhere."""
    hidden = unseen(group, visible["shape"], visible["colour"])
    can = {**{name: (value,) for name, value in visible.items()}, **hidden}
    return all(value in can[name] for name, value in fixed.items() if name in can)


def _options(options: Sequence[str], name: str, fixed: Mapping[str, str]) -> Sequence[str]:
    """With repeats, which weigh."""
    return [value for value in options if fixed.get(name, value) == value]


def _entropy(law: Iterable[tuple[Facts, float]], slots: Sequence[str]) -> float:
    """Of the facts in these slots, in bits."""
    weights: dict[tuple[str, ...], float] = defaultdict(float)
    for facts, weight in law:
        weights[tuple(facts[slot] for slot in slots)] += weight
    return -sum(weight * math.log2(weight) for weight in weights.values())


@cache
def _purposes(stream: str) -> frozenset[str]:
    """What a stream asks a scene's randomness for, of one that rests and of one that moves."""
    still = {name: values[0] for name, values in FACTORS.items()} | {"asked": VISIBLE[0]}
    witnesses = [_Witness(_scene(still | {"motion": motion})) for motion in FACTORS["motion"][:2]]
    for witness in witnesses:
        STREAMS[stream].render(cast(Scene, witness))
    return frozenset().union(*(witness.purposes for witness in witnesses))


class _Witness:
    """Stands in for a scene and remembers what randomness was asked of it."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.purposes = scene, set[str]()

    def random(self, purpose: str) -> np.random.Generator:
        self.purposes.add(purpose)
        return self.scene.random(purpose)

    def __getattr__(self, name: str) -> object:
        return getattr(self.scene, name)
