"""The headline metric of each direction, as a sentence."""

from collections.abc import Iterable, Mapping

from modaloom.evaluation.rows import ScoreRow
from modaloom.modalities import MODALITIES

UNITS: Mapping[str, str] = {
    "slot.mean": " of slots",
    "agree.mean": " of slots agree",
    "exact": " exactly right",
    "rank.top1": " of true pairs found among the others",
    "psnr": " dB PSNR",
    "error": " standard deviations of error",
    "present": " answered",
    "bits_per_character": " bits per character at most",
}
"""Metric → unit of its value; the first one that a direction has is its headline.

Retrieval of true pairs comes before reconstruction errors: even a perfect posterior sample has twice the
squared error of the posterior mean.
"""
LOWER_IS_BETTER = (
    *("bits", "bits_per_character", "near_duplicates", "verbatim"),
    *(metric for modality in MODALITIES.values() for metric in modality.lower_is_better),
)
"""Metrics of which lower values are better, also with a suffix after a dot."""
CEILING_FRACTION = 0.98
"""Fraction of the best value that counts as equal to it."""
SPLIT_NAMES: Mapping[str, str] = {
    "seen": "seen combinations",
    "level1": "unseen combinations (level 1)",
    "level2": "unseen combinations and phrasings (level 2)",
}


def headlines(rows: Iterable[ScoreRow]) -> list[ScoreRow]:
    """Returns the headline row of each direction and split, in order of appearance."""
    best: dict[tuple[str, str], ScoreRow] = {}
    for row in rows:
        place = (row.row, row.split)
        if place not in best or _rank(row) < _rank(best[place]):
            best[place] = row
    return list(best.values())


def sentence(row: ScoreRow) -> str:
    """`image->caption on seen combinations: 0.93 of slots (0.91–0.95, floor 0.25, …, n 500)`."""
    baselines = {
        "floor": row.floor,
        "baseline": row.baseline,
        "retrieval": row.retrieval,
        "ceiling": row.ceiling,
    }
    within = [] if row.low is None or row.high is None else [f"{row.low:.2f}–{row.high:.2f}"]
    shown = [f"{name} {value:.2f}" for name, value in baselines.items() if value is not None]
    beside = [*within, *shown, f"n {row.n}"]
    unit = UNITS.get(row.metric, f" {row.metric}")
    return (
        f"{row.row} on {SPLIT_NAMES.get(row.split, row.split)}: {row.value:.2f}{unit} ({', '.join(beside)})"
    )


def no_better(rows: Iterable[ScoreRow]) -> dict[str, str]:
    """Direction → a sentence, if on some split it is no better than the floor or the linear probe."""
    found: dict[str, str] = {}
    for row in headlines(rows):
        if _beaten(row):
            found.setdefault(row.row, f"no better than its baseline: {sentence(row)}")
    return found


def way(metric: str, figure: float | None, floor: float | None, ceiling: float | None) -> float | None:
    """Returns the normalized value (floor 0, ceiling 1).

    Args:
        metric: name of the metric, which determines whether higher or lower is better.
        figure: the value; None: missing.
        floor: value without the inputs; None: missing.
        ceiling: value of the truth after encoding and decoding; None: missing.

    Returns:
        None if one of them is missing, or if the ceiling is no better than the floor.
    """
    if figure is None or floor is None or ceiling is None or not sign(metric) * (ceiling - floor) > 0:
        return None
    return (figure - floor) / (ceiling - floor)


def _rank(row: ScoreRow) -> int:
    ranked = list(UNITS)
    return ranked.index(row.metric) if row.metric in ranked else len(ranked)


def sign(metric: str) -> int:
    """Returns -1 if lower values are better, else 1."""
    return -1 if metric.split(".")[0] in LOWER_IS_BETTER else 1


def _beaten(row: ScoreRow) -> bool:
    better = sign(row.metric)
    simple = [better * value for value in (row.floor, row.baseline) if value is not None]
    if not simple or better * row.value > max(simple):
        return False
    if row.floor is not None and better * row.value < better * row.floor:
        return True
    # If a baseline reaches the ceiling, too, no improvement over it is possible.
    return (
        better < 0 or row.ceiling is None or not row.value >= CEILING_FRACTION * max(row.ceiling, *simple) > 0
    )
