"""Scores by parsing: a value against the scene's facts, two values against each other, and floors."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from modaloom.core.errors import check_choice
from modaloom.world.scene import INVALID
from modaloom.world.worlds import SOLO, World

Facts = Mapping[str, str]
"""`Scene.facts`: a line of the world's facts."""


def parse(stream: str, value: Any, world: World = SOLO) -> dict[str, str]:
    """Slot → value or `INVALID`. Raises `BadValue` for a stream that the world does not have."""
    return world.parsers[check_choice("stream of the world", stream, world.parsers)](value)


def score(stream: str, value: Any, facts: Facts, world: World = SOLO) -> dict[str, bool]:
    """Slot that the facts name → whether the value says the same; `INVALID` never does."""
    said = parse(stream, value, world)
    return {slot: said[slot] == facts[slot] for slot in said if slot in facts}


def agree(first: str, one: Any, second: str, other: Any, world: World = SOLO) -> dict[str, bool]:
    """Slot that both streams determine → whether the two values say the same, and say something."""
    said, too = parse(first, one, world), parse(second, other, world)
    return {slot: said[slot] == too[slot] != INVALID for slot in said if slot in too}


def floor(slots: Sequence[str], train: Sequence[Facts], test: Sequence[Facts]) -> dict[str, float]:
    """Slot → accuracy on `test` of always giving the commonest value of `train`.

    For the answer, the commonest one to the question: the question-only floor.
    """
    return {slot: _floor(slot, train, test) for slot in slots}


def _floor(slot: str, train: Sequence[Facts], test: Sequence[Facts]) -> float:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for facts in train:
        counts[_context(slot, facts)][facts[slot]] += 1
    guess = {context: values.most_common(1)[0][0] for context, values in counts.items()}
    return sum(facts[slot] == guess.get(_context(slot, facts)) for facts in test) / len(test)


def _context(slot: str, facts: Facts) -> str:
    return facts["asked"] if slot == "answer" else ""
