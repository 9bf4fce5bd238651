"""Exact mutual information of two streams of the world, where it can be computed.

A stream is a function of the facts that it determines and of independent nuisance. Two streams without common
nuisance are conditionally independent given the facts, so I(A; B) is the mutual information of the facts that
each determines: a sum over all scenes of a split.
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
    """I(one; other) in bits over the scenes of a split.

    Args:
        one: a name in STREAMS.
        other: a name in STREAMS.
        split: a name in SPLITS.
        fixed: factor → its value in every scene; see `fixed_facts`.

    Returns:
        Bits; None if the streams share nuisance.

    Raises:
        BadValue: for an unknown stream or split.
    """
    for name in (one, other):
        check_choice("stream of the world", name, STREAMS)
    check_choice("split", split, SPLITS)
    if _random_purposes(one) & _random_purposes(other):
        return None
    left, right = STREAMS[one].determines, STREAMS[other].determines
    distribution = list(
        _distribution(SPLITS[split], {PART_OF.get(slot, slot) for slot in (*left, *right)}, fixed)
    )
    bits = (
        _entropy(distribution, left) + _entropy(distribution, right) - _entropy(distribution, (*left, *right))
    )
    return round(max(0.0, bits), 9)  # sums of many small weights: 0 only up to rounding


def fixed_facts(facts: Iterable[Facts]) -> dict[str, str]:
    """Factor → value, for factors that are constant over lines of facts; missing ones count as RESTING."""
    seen: dict[str, set[str]] = {name: set() for name in FACTORS}
    for line in facts:
        for name, values in seen.items():
            values.add(line.get(name, RESTING.get(name, "")))
    return {name: min(values) for name, values in seen.items() if len(values) == 1}


def _distribution(
    group: str, needed: Collection[str], fixed: Mapping[str, str]
) -> Iterator[tuple[Facts, float]]:
    """Facts and probability of every scene of a group; factors that are not needed are constant."""
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
    """Whether a group has a scene with these visible and fixed factors (motions depend on the shape)."""
    hidden = unseen(group, visible["shape"], visible["colour"])
    can = {**{name: (value,) for name, value in visible.items()}, **hidden}
    return all(value in can[name] for name, value in fixed.items() if name in can)


def _options(options: Sequence[str], name: str, fixed: Mapping[str, str]) -> Sequence[str]:
    """The allowed values; repeated values have a higher probability."""
    return [value for value in options if fixed.get(name, value) == value]


def _entropy(distribution: Iterable[tuple[Facts, float]], slots: Sequence[str]) -> float:
    """Joint entropy of the facts in these slots, in bits."""
    weights: dict[tuple[str, ...], float] = defaultdict(float)
    for facts, weight in distribution:
        weights[tuple(facts[slot] for slot in slots)] += weight
    return -sum(weight * math.log2(weight) for weight in weights.values())


@cache
def _random_purposes(stream: str) -> frozenset[str]:
    """The purposes for which a stream uses random numbers, in a still and in a moving scene."""
    still = {name: values[0] for name, values in FACTORS.items()} | {"asked": VISIBLE[0]}
    scenes = [_RecordingScene(_scene(still | {"motion": motion})) for motion in FACTORS["motion"][:2]]
    for recording in scenes:
        STREAMS[stream].render(cast(Scene, recording))
    return frozenset().union(*(recording.purposes for recording in scenes))


class _RecordingScene:
    """A scene that records the purposes of its random numbers."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.purposes = scene, set[str]()

    def random(self, purpose: str) -> np.random.Generator:
        self.purposes.add(purpose)
        return self.scene.random(purpose)

    def __getattr__(self, name: str) -> object:
        return getattr(self.scene, name)
