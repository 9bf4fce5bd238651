"""The judge of the world: answers are parsed into facts, and compared with the scene's."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.errors import BadFile
from modaloom.core.types import Sample
from modaloom.evaluation.figure import Least, Share, Statistic
from modaloom.evaluation.judge import Answer, Figures, Judge
from modaloom.evaluation.rows import Direction
from modaloom.world import FACTORS, STREAMS
from modaloom.world.scene import INVALID
from modaloom.world.score import Facts, agree, floor, parse, score


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

    Slots are the facts that the wanted stream shows and the given ones fix. Entropies are shares of the
    data's, at most 1; what cannot be parsed adds nothing to them.
    """

    parsed = True

    def __init__(self, facts: Mapping[str, Facts]) -> None:
        self.facts = facts

    def related(self, given: Sequence[str], want: str) -> bool:
        return bool(_fixed(given).intersection(STREAMS[want].determines))

    def joint(self, streams: Sequence[str]) -> tuple[str, ...]:
        shown = tuple(name for name in streams if set(STREAMS[name].determines) & set(FACTORS))
        return shown if len(shown) > 1 else ()

    def free(self, direction: Direction) -> tuple[str, ...]:
        fixed = _fixed(direction.given)
        shown = STREAMS[direction.want[0]].determines
        return tuple(slot for slot in shown if slot not in fixed) if direction.given else ()

    def score(self, direction: Direction, answers: Sequence[Answer], samples: Sequence[Sample]) -> Figures:
        facts = self._facts(samples)
        if not direction.given:
            return {**_agreement(direction.want, answers), **_entropies(direction.want, answers, facts)}
        (want,), slots = direction.want, self._slots(direction)
        scores = [score(want, answer[want], true) for answer, true in zip(answers, facts, strict=True)]
        return _hits({slot: [hit[slot] for hit in scores] for slot in slots})

    def floor(
        self, direction: Direction, train: Sequence[Sample], samples: Sequence[Sample], typical: Answer
    ) -> dict[str, float]:
        """Majority guesses, slot by slot; for streams drawn together, the chance that two scenes agree."""
        known, asked = self._facts(train), self._facts(samples)
        if not direction.given:
            return _chance(direction.want, known)
        slots = self._slots(direction)
        by_slot = {
            slot: value for slot, value in floor(direction.want[0], known, asked).items() if slot in slots
        }
        commonest = Counter(_tuple(facts, slots) for facts in known).most_common(1)[0][0]
        together = fmean(_tuple(facts, slots) == commonest for facts in asked)
        return {
            **{f"slot.{slot}": value for slot, value in by_slot.items()},
            "slot.mean": fmean(by_slot.values()),
            "slot.worst": min(by_slot.values()),
            "exact": together if len(slots) > 1 else by_slot[slots[0]],
        }

    def diversity(self, direction: Direction, first: Sequence[Answer], second: Sequence[Answer]) -> Figures:
        """`diversity.background`: how often both draws are valid and differ, over how often two scenes do."""
        (want,) = direction.want
        pairs = [(parse(want, one[want]), parse(want, two[want])) for one, two in zip(first, second)]
        figures: dict[str, Share] = {}
        for slot in self.free(direction):
            data = 1 - _collision(facts[slot] for facts in self.facts.values())
            differ = [INVALID not in {one[slot], two[slot]} and one[slot] != two[slot] for one, two in pairs]
            figures |= {f"diversity.{slot}": Share(torch.tensor(differ), unit=1 / data)} if data else {}
        return figures

    def _slots(self, direction: Direction) -> list[str]:
        fixed = _fixed(direction.given)
        return [slot for slot in STREAMS[direction.want[0]].determines if slot in fixed]

    def _facts(self, samples: Sequence[Sample]) -> list[Facts]:
        return [self.facts[sample.key] for sample in samples]


def _fixed(given: Sequence[str]) -> set[str]:
    """What the given streams fix: also the answer, if they fix the question and all that it may be about."""
    fixed = {slot for name in given for slot in STREAMS[name].determines}
    return fixed | {"answer"} if fixed.issuperset({"asked", *FACTORS}) else fixed


def _hits(by_slot: Mapping[str, Sequence[bool]]) -> Figures:
    """Whether each sample has each slot right → figures."""
    hits = torch.tensor([*by_slot.values()]).double()
    slots = {f"slot.{slot}": Share(column) for slot, column in zip(by_slot, hits)}
    return {
        **slots,
        "slot.mean": Share(hits.mean(0)),
        "slot.worst": Least([*slots.values()]),
        "exact": Share(hits.amin(0)),
    }


def _agreement(streams: Sequence[str], answers: Sequence[Answer]) -> Figures:
    """Over pairs of streams and the slots that both show; `all` if every pair agrees in every slot."""
    hits = [
        [
            hit
            for one, two in combinations(streams, 2)
            for hit in agree(one, answer[one], two, answer[two]).values()
        ]
        for answer in answers
    ]
    table = torch.tensor(hits).double()
    return {"agree.mean": Share(table.mean(1)), "agree.all": Share(table.amin(1))} if table.numel() else {}


def _entropies(streams: Sequence[str], answers: Sequence[Answer], facts: Sequence[Facts]) -> Figures:
    columns = {}
    for stream in reversed(streams):  # the first stream that shows a slot speaks for it
        said = [parse(stream, answer[stream]) for answer in answers]
        for slot in STREAMS[stream].determines:
            columns[slot] = _indices([one[slot] for one in said], [true[slot] for true in facts])
    every = {**columns, "mean": torch.cat([*columns.values()], 1)}
    return {f"entropy.{name}": Statistic(indices, _entropy_share) for name, indices in every.items()}


def _indices(said: Sequence[str], true: Sequence[str]) -> Tensor:
    """int64 (n, 1, 2): values said and true by number, 0 for an invalid one."""
    names = [INVALID, *dict.fromkeys((*true, *said))]
    return torch.tensor([[[names.index(one), names.index(other)]] for one, other in zip(said, true)])


def _entropy_share(indices: Tensor) -> Tensor:
    """(R, n, S, 2) of `_indices` → (R,): entropy of what is said over that of what is true, at most 1 each,
    averaged over S slots. Both are of the same n samples, so that their biases are alike."""
    counts = F.one_hot(indices)[..., 1:].sum(1).float()
    shares = counts / counts.sum(-1, keepdim=True).clamp_min(1)
    said, true = torch.special.entr(shares).sum(-1).unbind(-1)
    return torch.where(true > 0, said / true, 1.0).clamp(max=1).mean(-1)


def _chance(streams: Sequence[str], facts: Sequence[Facts]) -> dict[str, float]:
    shared = [
        [slot for slot in STREAMS[one].determines if slot in STREAMS[two].determines]
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
    """The chance that two independent draws are the same."""
    return sum(share**2 for share in _shares(values))
