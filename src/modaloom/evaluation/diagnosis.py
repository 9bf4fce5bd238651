"""Diagnosis of each direction by a table of rules: what limits it and what would help, in one sentence."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass

from modaloom.evaluation.headline import SPLIT_NAMES, headlines, sign, way
from modaloom.evaluation.overfitting import MIN_STEPS, Lines, falling, rising, trained_steps
from modaloom.evaluation.rows import ScoreRow

PROPORTION_METRICS = ("slot.mean", "agree.mean", "exact", "present", "rank.top1")
"""Metrics whose best value is 1."""
MIN_PAIRS = 300
"""Training pairs below which a model memorizes its data."""
NEGLIGIBLE, GOOD, SATURATED = 0.05, 0.9, 0.97
"""Normalized scores (floor 0, ceiling 1): none, high, at the ceiling."""
LEARNED, MIN_VARIETY = 0.5, 0.6
"""Normalized score from which on, and variety below which, answers are called alike: the rank of the true
input, a headline of pictures, is far from its ceiling where every digit that is drawn is recognised."""


@dataclass(frozen=True)
class Evidence:
    """Evidence about a direction. Scores are normalized: 0 is the floor, 1 the ceiling."""

    seen: float
    """Score on the split that is closest to the training data."""
    new: float
    """Score on the hardest of the other splits; `seen` if there is none."""
    hardest: str
    """Name of that split."""
    baselines: float
    """The better score of linear probe and nearest training sample; 0 without both."""
    ceiling: float | None
    """Metric of the truth after encoding and decoding, if the metric's best value is 1."""
    pairs: int
    """Training samples."""
    rising: bool
    """Validation bits rise while training bits fall."""
    falling: bool
    """Validation bits were still falling at the end of the training."""
    steps: int | None = None
    """Training step of the last validation of the target streams, if known."""
    lossy: bool = False
    """After encoding and decoding, the truth scores no better than the floor."""
    variety: float | None = None
    """Variance of the answers to one input, relative to that of the true values; see `Variety`."""
    kept_variety: float | None = None
    """The same of the true values after encoding and decoding."""


def is_alike(variety: float | None) -> bool:
    """Whether values of one input vary far less than real ones do; not where that is unknown."""
    return variety is not None and variety < MIN_VARIETY


@dataclass(frozen=True)
class Rule:
    """A predicate on the evidence, and a sentence with fields of the evidence in braces."""

    when: Callable[[Evidence], bool]
    sentence: str


MEMORIZING = "{pairs} pairs: memorising; more pairs, fewer steps or a smaller model would help"

LOSSY = (
    "raise its size (--set tokenizers.MODALITY.codebook_size= or .num_quantizers=) or its share of the time"
)

RULES = (
    Rule(
        lambda e: e.steps is not None and e.steps < MIN_STEPS,
        "{steps} steps tell nothing yet: train longer",
    ),
    Rule(
        lambda e: e.lossy,
        f"the tokenizer limits you: the truth itself scores no better than the floor after it; {LOSSY}",
    ),
    Rule(
        lambda e: e.ceiling is not None and e.ceiling < GOOD and e.seen >= GOOD,
        f"the tokenizer limits you: the truth itself scores {{ceiling:.2f}} after it; {LOSSY}",
    ),
    Rule(
        lambda e: e.seen >= LEARNED and is_alike(e.variety) and is_alike(e.kept_variety),
        "alike: answers to one input vary {variety:.0%} as much as real ones, which keep "
        f"{{kept_variety:.0%}} of it after the tokenizer; {LOSSY}",
    ),
    Rule(
        lambda e: e.seen >= LEARNED and is_alike(e.variety),
        "alike: answers to one input vary {variety:.0%} as much as real ones: raise "
        "--choice-temperature, or take --sampler ancestral",
    ),
    Rule(lambda e: min(e.seen, e.new) >= SATURATED, "at its ceiling"),
    Rule(lambda e: e.pairs < MIN_PAIRS and e.seen < SATURATED and not e.falling, MEMORIZING),
    Rule(
        lambda e: max(e.seen, e.baselines) < NEGLIGIBLE and not e.falling,
        "these streams look unrelated: neither the model nor the nearest training sample beats the floor",
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
"""The first rule that applies is used."""


@dataclass(frozen=True)
class Diagnosis:
    """Diagnosis of one direction."""

    row: str
    sentence: str

    def to_dict(self) -> dict[str, str]:
        """Returns an entry of `diagnosis` in the scores file."""
        return asdict(self)


def diagnose(rows: Iterable[ScoreRow], lines: Lines, *, pairs: Callable[[str], int]) -> list[Diagnosis]:
    """Returns a diagnosis of every direction with floor and ceiling, in order of appearance.

    Args:
        rows: rows of an evaluation, first those of the split that is closest to the training data.
        lines: lines of metrics.jsonl.
        pairs: direction → number of training samples that have all of its streams.
    """
    rows, by_direction = [*rows], dict[str, list[ScoreRow]]()
    for row in headlines(rows):
        if _way(row, row.value) is not None or _is_lossy(row):
            by_direction.setdefault(row.row, []).append(row)
    variety = {(row.row, row.split): row for row in rows if row.metric.split(".")[0] == "variety"}
    return [
        Diagnosis(name, explain(_evidence(some, lines, pairs(name), variety.get((name, some[0].split)))))
        for name, some in by_direction.items()
    ]


def explain(evidence: Evidence) -> str:
    """Returns the sentence of the first rule that applies."""
    rule = next(rule for rule in RULES if rule.when(evidence))
    return rule.sentence.format(**asdict(evidence))


def _way(row: ScoreRow, figure: float | None) -> float | None:
    return way(row.metric, figure, row.floor, row.ceiling)


def _is_lossy(row: ScoreRow) -> bool:
    """Whether the ceiling is below the floor, or equal to it although better values are possible."""
    if row.floor is None or row.ceiling is None:
        return False
    short = sign(row.metric) * (row.floor - row.ceiling)
    return short > 0 or (short == 0 and row.metric in PROPORTION_METRICS and row.ceiling < SATURATED)


def _evidence(rows: Sequence[ScoreRow], lines: Lines, pairs: int, variety: ScoreRow | None) -> Evidence:
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
        variety=variety.value if variety else None,
        kept_variety=variety.ceiling if variety else None,
    )


def _wanted(row: ScoreRow) -> Collection[str]:
    return row.row.split("->")[1].split("+")
