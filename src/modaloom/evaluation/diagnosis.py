"""What limits each direction, and what to do about it: one plain sentence, by a table of rules."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass

from modaloom.evaluation.headline import SPLIT_NAMES, headlines, sign, way
from modaloom.evaluation.overfitting import MIN_STEPS, Lines, falling, rising, trained_steps
from modaloom.evaluation.rows import ScoreRow

PROPORTION_METRICS = ("slot.mean", "agree.mean", "exact", "present", "rank.top1")
"""Metrics whose best value is 1."""
MIN_PAIRS = 300
"""Pairs below which a model learns its data by heart."""
NEGLIGIBLE, GOOD, SATURATED = 0.05, 0.9, 0.97
"""Shares of the way from a guess to the ceiling: none of it, much of it, as good as all."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a direction. Shares are those of the way from a guess (0) to the ceiling (1)."""

    seen: float
    """On the split that resembles the training data most."""
    new: float
    """On the hardest of the other splits; `seen` where there is none."""
    hardest: str
    """That split, in words."""
    baselines: float
    """Of the better one of a linear readout and the nearest training sample; 0 without both."""
    ceiling: float | None
    """The figure that the truth reaches after its tokenizer, where the best one is 1."""
    pairs: int
    """Training samples."""
    rising: bool
    """Validation bits rise while training bits fall."""
    falling: bool
    """Validation bits were still falling at the end."""
    steps: int | None = None
    """After which the wanted streams were last validated, if that is known."""
    lossy: bool = False
    """The truth scores no better than a guess after its tokenizer."""


@dataclass(frozen=True)
class Rule:
    """A sentence, with the fields of the evidence in braces, and when it is true."""

    when: Callable[[Evidence], bool]
    sentence: str


MEMORIZING = "{pairs} pairs: memorising; more pairs, fewer steps or a smaller model would help"

LOSSY = "raise its size (--set vqvae.codebook_size=, vqvae.num_quantizers=) or its share of the time"

RULES = (
    Rule(
        lambda e: e.steps is not None and e.steps < MIN_STEPS,
        "{steps} steps tell nothing yet: train longer",
    ),
    Rule(
        lambda e: e.lossy,
        f"the tokenizer limits you: the truth itself scores no better than a guess after it; {LOSSY}",
    ),
    Rule(
        lambda e: e.ceiling is not None and e.ceiling < GOOD and e.seen >= GOOD,
        f"the tokenizer limits you: the truth itself scores {{ceiling:.2f}} after it; {LOSSY}",
    ),
    Rule(lambda e: min(e.seen, e.new) >= SATURATED, "at its ceiling"),
    Rule(lambda e: e.pairs < MIN_PAIRS and e.seen < SATURATED and not e.falling, MEMORIZING),
    Rule(
        lambda e: max(e.seen, e.baselines) < NEGLIGIBLE and not e.falling,
        "these streams look unrelated: neither the model nor the nearest training sample beats a guess",
    ),
    Rule(lambda e: e.rising and e.seen < GOOD, MEMORIZING),
    Rule(
        lambda e: e.seen >= GOOD and e.new < e.seen - 0.1,
        "{seen:.0%} of the way to the ceiling on what it has seen, {new:.0%} on {hardest}: more varied data, "
        "or a longer training",
    ),
    Rule(
        lambda e: e.falling and e.seen < SATURATED,
        "still learning ({seen:.0%} of the way to the ceiling): train longer",
    ),
    Rule(lambda e: e.seen >= GOOD, "close to its ceiling ({seen:.0%} of the way)"),
    Rule(
        lambda e: e.baselines > e.seen,
        "a simple rival is better ({baselines:.0%} of the way to the ceiling against {seen:.0%}): train "
        "longer or take a larger model (--preset)",
    ),
    Rule(
        lambda e: True,
        "no longer learning at {seen:.0%} of the way to the ceiling: a larger model (--preset) or more data",
    ),
)
"""The first one that is true is said."""


@dataclass(frozen=True)
class Diagnosis:
    """Of one direction."""

    row: str
    sentence: str

    def to_dict(self) -> dict[str, str]:
        """An entry of the scores' `diagnosis`."""
        return asdict(self)


def diagnose(rows: Iterable[ScoreRow], lines: Lines, *, pairs: Callable[[str], int]) -> list[Diagnosis]:
    """A sentence for every direction that has a guess and a ceiling, in order of appearance.

    Args:
        rows: of an evaluation, first those of the split that resembles the training data most.
        lines: of metrics.jsonl.
        pairs: direction → training samples that have all of its streams.
    """
    by_direction: dict[str, list[ScoreRow]] = {}
    for row in headlines(rows):
        if _way(row, row.value) is not None or _is_lossy(row):
            by_direction.setdefault(row.row, []).append(row)
    return [
        Diagnosis(name, explain(_evidence(some, lines, pairs(name)))) for name, some in by_direction.items()
    ]


def explain(evidence: Evidence) -> str:
    """The sentence of the first rule that is true."""
    rule = next(rule for rule in RULES if rule.when(evidence))
    return rule.sentence.format(**asdict(evidence))


def _way(row: ScoreRow, figure: float | None) -> float | None:
    return way(row.metric, figure, row.floor, row.ceiling)


def _is_lossy(row: ScoreRow) -> bool:
    """Whether the ceiling is below the floor, or no higher though better figures are possible."""
    if row.floor is None or row.ceiling is None:
        return False
    short = sign(row.metric) * (row.floor - row.ceiling)
    return short > 0 or (short == 0 and row.metric in PROPORTION_METRICS and row.ceiling < SATURATED)


def _evidence(rows: Sequence[ScoreRow], lines: Lines, pairs: int) -> Evidence:
    first, *others = rows
    hardest = min(others or [first], key=lambda row: _way(row, row.value) or 0.0)
    baselines = [_way(first, figure) for figure in (first.baseline, first.retrieval)]
    streams = _wanted(first)
    return Evidence(
        seen=_way(first, first.value) or 0.0,
        new=_way(hardest, hardest.value) or 0.0,
        hardest=SPLIT_NAMES.get(hardest.split, hardest.split),
        baselines=max([share for share in baselines if share is not None], default=0.0),
        ceiling=first.ceiling if first.metric in PROPORTION_METRICS else None,
        pairs=pairs,
        rising=any(rising(lines, stream) for stream in streams),
        falling=any(falling(lines, stream) for stream in streams),
        steps=trained_steps(lines, streams),
        lossy=_is_lossy(first),
    )


def _wanted(row: ScoreRow) -> Collection[str]:
    return row.row.split("->")[1].split("+")
