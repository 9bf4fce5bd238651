"""Scores by parsing: values against facts, values against each other, and majority baselines."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from modaloom.core.errors import check_choice
from modaloom.world.scene import INVALID
from modaloom.world.worlds import SOLO, World

Facts = Mapping[str, str]
"""`Scene.facts`: one line of `_world.jsonl`."""


def parse(stream: str, value: Any, world: World = SOLO) -> dict[str, str]:
    """Slot → value or `INVALID`. Raises `BadValue` for a stream that is not in the world."""
    return world.parsers[check_choice("stream of the world", stream, world.parsers)](value)


def score(stream: str, value: Any, facts: Facts, world: World = SOLO) -> dict[str, bool]:
    """Compare a value with facts.

    Args:
        stream: of the value.
        value: of the stream's modality.
        facts: of the true scene.
        world: of the stream.

    Returns:
        Slot → whether the parsed value equals the fact, for all slots in `facts`; never for `INVALID`.
    """
    parsed = parse(stream, value, world)
    return {slot: parsed[slot] == facts[slot] for slot in parsed if slot in facts}


def agree(first: str, one: Any, second: str, other: Any, world: World = SOLO) -> dict[str, bool]:
    """Compare two values.

    Args:
        first: stream of `one`.
        one: a value.
        second: stream of `other`.
        other: a value.
        world: of the streams.

    Returns:
        Slot → whether both parsed values are equal and valid, for all slots that both streams determine.
    """
    here, there = parse(first, one, world), parse(second, other, world)
    return {slot: here[slot] == there[slot] != INVALID for slot in here if slot in there}


def floor(slots: Sequence[str], train: Sequence[Facts], test: Sequence[Facts]) -> dict[str, float]:
    """Majority baseline: slot → accuracy on `test` of the most frequent value in `train`.

    For `answer`, the most frequent one for the question (question-only baseline).
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
