"""Judge for the synthetic world: predictions are parsed into facts and compared with those of the scene."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.errors import BadFile
from modaloom.core.json_text import from_json
from modaloom.core.types import Sample
from modaloom.evaluation.estimate import Estimate, Minimum, Proportion, Statistic
from modaloom.evaluation.judge import Answer, Estimates, Judge
from modaloom.evaluation.on_beat import BeatMetric
from modaloom.evaluation.rows import Direction
from modaloom.world.scene import INVALID
from modaloom.world.score import Facts, agree, floor, parse, score
from modaloom.world.worlds import World, world_of


def read_facts(path: Path) -> dict[str, Facts]:
    """Reads a world's facts file: key → facts. Raises `BadFile`."""
    try:
        lines = [from_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return {line["key"]: line for line in lines}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BadFile(path, f"does not hold a world's facts ({error})") from error


class ParsedJudge(Judge):
    """Metrics `slot.shape`, …, `slot.mean`, `slot.worst`, `exact` (all slots correct) of conditional
    predictions; `agree.mean`, `agree.all`, `entropy.shape`, …, `entropy.mean` of jointly generated streams.

    Slots are the facts that the target stream shows, that the inputs determine and that the facts file names
    (older worlds do not name motion). Entropies are relative to the data's, at most 1; values that cannot be
    parsed do not contribute. Slots that are constant in the world have no entropy. `onsets.f1` where the
    direction has a clip and a sound of one beat; see `BeatMetric`.
    """

    parsed = True

    def __init__(self, facts: Mapping[str, Facts]) -> None:
        self.facts, self.world = facts, world_of(facts.values())
        shown = {slot for rule in self.world.streams.values() for slot in rule.determines}
        self._named = shown.intersection(*facts.values())
        self._varying = {s for s in self._named if len({known[s] for known in facts.values()}) > 1}
        self.beat = BeatMetric(self.world.beat)

    def related(self, given: Sequence[str], want: str) -> bool:
        return bool(self._fixed(given).intersection(self._shown(want)))

    def joint(self, streams: Sequence[str]) -> tuple[str, ...]:
        shown = {name: {*self._shown(name)} & self.world.factors for name in streams}
        return tuple(n for n in shown if any(shown[n] & shown[other] for other in shown if other != n))

    def alone(self, stream: str) -> bool:
        return bool(self.world.factors.intersection(self._shown(stream)))

    def free(self, direction: Direction) -> tuple[str, ...]:
        fixed = self._fixed(direction.given)
        told = fixed | {whole for part, whole in self.world.part_of.items() if part in fixed}
        free = tuple(slot for slot in self._shown(direction.want[0]) if slot in self._varying - told)
        return free if direction.given else ()

    def score(self, direction: Direction, answers: Sequence[Answer], samples: Sequence[Sample]) -> Estimates:
        facts, beat = self._facts(samples), self.beat.score(direction, answers, samples)
        if not direction.given:
            agreement = _agreement(self.world, direction.want, answers)
            return {**agreement, **self._entropies(direction.want, answers, facts), **beat}
        (want,), slots = direction.want, self._slots(direction)
        scores = [
            score(want, answer[want], true, self.world) for answer, true in zip(answers, facts, strict=True)
        ]
        return {**_hits({slot: [hit[slot] for hit in scores] for slot in slots}), **beat}

    def floor(
        self, direction: Direction, train: Sequence[Sample], samples: Sequence[Sample], typical: Answer
    ) -> dict[str, float]:
        """Majority prediction of each slot; for joint generation, the probability that two scenes agree."""
        known, asked = self._facts(train), self._facts(samples)
        if not direction.given:
            return _chance(self.world, direction.want, known)
        slots = self._slots(direction)
        by_slot = floor(slots, known, asked)
        commonest = Counter(_tuple(facts, slots) for facts in known).most_common(1)[0][0]
        together = fmean(_tuple(facts, slots) == commonest for facts in asked)
        return {
            **{f"slot.{slot}": value for slot, value in by_slot.items()},
            "slot.mean": fmean(by_slot.values()),
            "slot.worst": min(by_slot.values()),
            "exact": together if len(slots) > 1 else by_slot[slots[0]],
            **self.beat.floor(direction, train, samples),
        }

    def diversity(self, direction: Direction, first: Sequence[Answer], second: Sequence[Answer]) -> Estimates:
        """`diversity.background`, …: how often both samples are valid and differ, relative to two scenes."""
        (want,) = direction.want
        pairs = [
            (parse(want, one[want], self.world), parse(want, two[want], self.world))
            for one, two in zip(first, second)
        ]
        estimates: dict[str, Proportion] = {}
        for slot in self.free(direction):
            data = 1 - _collision(facts[slot] for facts in self.facts.values())
            differ = [INVALID not in {one[slot], two[slot]} and one[slot] != two[slot] for one, two in pairs]
            estimates |= (
                {f"diversity.{slot}": Proportion(torch.tensor(differ), unit=1 / data)} if data else {}
            )
        return estimates

    def _entropies(
        self, streams: Sequence[str], answers: Sequence[Answer], facts: Sequence[Facts]
    ) -> dict[str, Estimate]:
        columns = {}
        for stream in reversed(streams):  # the first stream that shows a slot takes precedence
            said = [parse(stream, answer[stream], self.world) for answer in answers]
            for slot in filter(self._varying.__contains__, self._shown(stream)):
                columns[slot] = _indices([one[slot] for one in said], [true[slot] for true in facts])
        every = {**columns, "mean": torch.cat([*columns.values()], 1)} if columns else {}
        return {f"entropy.{name}": Statistic(indices, _entropy_share) for name, indices in every.items()}

    def _slots(self, direction: Direction) -> list[str]:
        fixed = self._fixed(direction.given) & self._named
        return [slot for slot in self._shown(direction.want[0]) if slot in fixed]

    def _shown(self, stream: str) -> tuple[str, ...]:
        return self.world.streams[stream].determines

    def _fixed(self, given: Sequence[str]) -> set[str]:
        """Slots that the inputs determine, including the parts of a determined factor, and the answer if the
        question and everything that it may refer to are determined."""
        fixed = {slot for name in given for slot in self._shown(name)}
        fixed |= {part for part, whole in self.world.part_of.items() if whole in fixed}
        return fixed | self.world.answers if fixed.issuperset(self.world.fix_answer) else fixed

    def _facts(self, samples: Sequence[Sample]) -> list[Facts]:
        return [self.facts[sample.key] for sample in samples]


def _hits(by_slot: Mapping[str, Sequence[bool]]) -> Estimates:
    """Slot → correctness of each sample → metrics."""
    hits = torch.tensor([*by_slot.values()]).double()
    slots = {f"slot.{slot}": Proportion(column) for slot, column in zip(by_slot, hits)}
    return {
        **slots,
        "slot.mean": Proportion(hits.mean(0)),
        "slot.worst": Minimum([*slots.values()]),
        "exact": Proportion(hits.amin(0)),
    }


def _agreement(world: World, streams: Sequence[str], answers: Sequence[Answer]) -> dict[str, Estimate]:
    """Agreement over pairs of streams and their shared slots; `all` requires agreement in every slot."""
    hits = [
        [
            hit
            for one, two in combinations(streams, 2)
            for hit in agree(one, answer[one], two, answer[two], world).values()
        ]
        for answer in answers
    ]
    table = torch.tensor(hits).double()
    return (
        {"agree.mean": Proportion(table.mean(1)), "agree.all": Proportion(table.amin(1))}
        if table.numel()
        else {}
    )


def _indices(said: Sequence[str], true: Sequence[str]) -> Tensor:
    """int64 (n, 1, 2): indices of predicted and true values; 0 for invalid ones."""
    names = [INVALID, *dict.fromkeys((*true, *said))]
    return torch.tensor([[[names.index(one), names.index(other)]] for one, other in zip(said, true)])


def _entropy_share(indices: Tensor) -> Tensor:
    """(R, n, S, 2) of `_indices` → (R,): entropy of predicted values divided by that of true values, at most
    1 each, averaged over S slots. Both use the same n samples, so that their biases are similar."""
    counts = F.one_hot(indices)[..., 1:].sum(1).float()
    shares = counts / counts.sum(-1, keepdim=True).clamp_min(1)
    said, true = torch.special.entr(shares).sum(-1).unbind(-1)
    return torch.where(true > 0, said / true, 1.0).clamp(max=1).mean(-1)


def _chance(world: World, streams: Sequence[str], facts: Sequence[Facts]) -> dict[str, float]:
    shared = [
        [slot for slot in world.streams[one].determines if slot in world.streams[two].determines]
        for one, two in combinations(streams, 2)
    ]
    means = [_collision(true[slot] for true in facts) for slots in shared for slot in slots]
    if not means:
        return {}
    every = sorted({slot for slots in shared for slot in slots})
    together = _collision(_tuple(true, every) for true in facts)
    return {"agree.mean": fmean(means), "agree.all": together ** (len(streams) - 1)}


def _tuple(facts: Facts, slots: Sequence[str]) -> tuple[str, ...]:
    return tuple(facts[slot] for slot in slots)


def _shares(values: Iterable[object]) -> list[float]:
    counts = Counter(values)
    return [count / counts.total() for count in counts.values()]


def _collision(values: Iterable[object]) -> float:
    """Collision probability: the probability that two independent samples are equal."""
    return sum(share**2 for share in _shares(values))
