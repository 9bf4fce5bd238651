"""The judge of the world: answers are parsed into facts, and compared with the scene's."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean

from modaloom.core.errors import BadFile
from modaloom.core.types import Sample
from modaloom.evaluation.judge import Answer, Judge
from modaloom.evaluation.rows import Direction
from modaloom.world.scene import INVALID
from modaloom.world.score import Facts, agree, floor, parse, score
from modaloom.world.worlds import World, world_of


def read_facts(path: Path) -> dict[str, Facts]:
    """Key → facts, of the file that a world keeps beside its samples. Raises `BadFile`."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return {line["key"]: line for line in lines}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BadFile(path, f"does not hold a world's facts ({error})") from error


class ParsedJudge(Judge):
    """`slot.shape`, …, `slot.mean`, `slot.worst`, `exact` (all slots right) for a stream from others;
    `agree.mean`, `agree.all`, `entropy.shape`, …, `entropy.mean` for streams drawn together.

    Slots are the facts that the wanted stream shows, the given ones fix and the world names (one written
    before there was motion does not name it). Entropies are shares of the
    data's, at most 1; what cannot be parsed adds nothing to them. What never varies in the world has none.
    """

    def __init__(self, facts: Mapping[str, Facts]) -> None:
        self.facts, self.world = facts, world_of(facts.values())
        shown = {slot for rule in self.world.streams.values() for slot in rule.determines}
        self._named = shown.intersection(*facts.values())
        self._varying = {s for s in self._named if len({known[s] for known in facts.values()}) > 1}

    def related(self, given: Sequence[str], want: str) -> bool:
        return bool(self._fixed(given).intersection(self._shown(want)))

    def joint(self, streams: Sequence[str]) -> tuple[str, ...]:
        shown = {name: {*self._shown(name)} & self.world.factors for name in streams}
        return tuple(n for n in shown if any(shown[n] & shown[other] for other in shown if other != n))

    def free(self, direction: Direction) -> tuple[str, ...]:
        fixed = self._fixed(direction.given)
        told = fixed | {whole for part, whole in self.world.part_of.items() if part in fixed}
        free = tuple(slot for slot in self._shown(direction.want[0]) if slot in self._varying - told)
        return free if direction.given else ()

    def score(
        self, direction: Direction, answers: Sequence[Answer], samples: Sequence[Sample]
    ) -> dict[str, float]:
        facts = self._facts(samples)
        if not direction.given:
            return _agreement(self.world, direction.want, answers) | self._entropies(
                direction.want, answers, facts
            )
        (want,), slots = direction.want, self._slots(direction)
        scores = [
            score(want, answer[want], true, self.world) for answer, true in zip(answers, facts, strict=True)
        ]
        by_slot = {slot: fmean(hit[slot] for hit in scores) for slot in slots}
        return _slot_figures(by_slot, exact=fmean(all(hit[slot] for slot in slots) for hit in scores))

    def floor(
        self, direction: Direction, train: Sequence[Sample], samples: Sequence[Sample], typical: Answer
    ) -> dict[str, float]:
        """Majority guesses, slot by slot; for streams drawn together, the chance that two scenes agree."""
        known, asked = self._facts(train), self._facts(samples)
        if not direction.given:
            return _chance(self.world, direction.want, known)
        slots = self._slots(direction)
        by_slot = floor(slots, known, asked)
        commonest = Counter(_tuple(facts, slots) for facts in known).most_common(1)[0][0]
        together = fmean(_tuple(facts, slots) == commonest for facts in asked)
        return _slot_figures(by_slot, exact=together if len(slots) > 1 else by_slot[slots[0]])

    def diversity(
        self, direction: Direction, first: Sequence[Answer], second: Sequence[Answer]
    ) -> dict[str, float]:
        """`diversity.background`: how often both draws are valid and differ, over how often two scenes do."""
        (want,) = direction.want
        pairs = [
            (parse(want, one[want], self.world), parse(want, two[want], self.world))
            for one, two in zip(first, second)
        ]
        figures: dict[str, float] = {}
        for slot in self.free(direction):
            data = 1 - _collision(facts[slot] for facts in self.facts.values())
            drawn = fmean(
                INVALID not in {one[slot], two[slot]} and one[slot] != two[slot] for one, two in pairs
            )
            figures |= {f"diversity.{slot}": drawn / data} if data else {}
        return figures

    def _entropies(
        self, streams: Sequence[str], answers: Sequence[Answer], facts: Sequence[Facts]
    ) -> dict[str, float]:
        shares = {}
        for stream in reversed(streams):  # the first stream that shows a slot speaks for it
            said = [parse(stream, answer[stream], self.world) for answer in answers]
            for slot in filter(self._varying.__contains__, self._shown(stream)):
                data = _entropy(true[slot] for true in facts)
                drawn = _entropy(one[slot] for one in said if one[slot] != INVALID)
                shares[slot] = min(1.0, drawn / data) if data else 1.0
        mean = {"entropy.mean": fmean(shares.values())} if shares else {}
        return {f"entropy.{slot}": share for slot, share in shares.items()} | mean

    def _slots(self, direction: Direction) -> list[str]:
        fixed = self._fixed(direction.given) & self._named
        return [slot for slot in self._shown(direction.want[0]) if slot in fixed]

    def _shown(self, stream: str) -> tuple[str, ...]:
        return self.world.streams[stream].determines

    def _fixed(self, given: Sequence[str]) -> set[str]:
        """What the given streams fix: also a factor's parts with the factor, and the answer with the question
        and all that it may be about."""
        fixed = {slot for name in given for slot in self._shown(name)}
        fixed |= {part for part, whole in self.world.part_of.items() if whole in fixed}
        return fixed | {"answer"} if fixed.issuperset(self.world.fix_answer) else fixed

    def _facts(self, samples: Sequence[Sample]) -> list[Facts]:
        return [self.facts[sample.key] for sample in samples]


def _slot_figures(by_slot: Mapping[str, float], *, exact: float) -> dict[str, float]:
    figures = {f"slot.{slot}": value for slot, value in by_slot.items()}
    return {
        **figures,
        "slot.mean": fmean(by_slot.values()),
        "slot.worst": min(by_slot.values()),
        "exact": exact,
    }


def _agreement(world: World, streams: Sequence[str], answers: Sequence[Answer]) -> dict[str, float]:
    """Over pairs of streams and the slots that both show; `all` if every pair agrees in every slot."""
    hits = [
        [
            hit
            for one, two in combinations(streams, 2)
            for hit in agree(one, answer[one], two, answer[two], world).values()
        ]
        for answer in answers
    ]
    return {"agree.mean": fmean(map(fmean, hits)), "agree.all": fmean(map(all, hits))}


def _chance(world: World, streams: Sequence[str], facts: Sequence[Facts]) -> dict[str, float]:
    shared = [
        [slot for slot in world.streams[one].determines if slot in world.streams[two].determines]
        for one, two in combinations(streams, 2)
    ]
    means = [_collision(true[slot] for true in facts) for slots in shared for slot in slots]
    every = sorted({slot for slots in shared for slot in slots})
    together = _collision(_tuple(true, every) for true in facts)
    return {"agree.mean": fmean(means), "agree.all": together ** (len(streams) - 1)}


def _tuple(facts: Facts, slots: Sequence[str]) -> tuple[str, ...]:
    return tuple(facts[slot] for slot in slots)


def _shares(values: Iterable[object]) -> list[float]:
    counts = Counter(values)
    return [count / counts.total() for count in counts.values()]


def _collision(values: Iterable[object]) -> float:
    """The chance that two independent draws are the same."""
    return sum(share**2 for share in _shares(values))


def _entropy(values: Iterable[object]) -> float:
    return -sum(share * math.log(share) for share in _shares(values))
