"""The figures that matter, in plain sentences."""

from collections.abc import Iterable, Mapping

from modaloom.evaluation.rows import ScoreRow

UNITS: Mapping[str, str] = {
    "slot.mean": " of slots",
    "agree.mean": " of slots agree",
    "exact": " exactly right",
    "rank.top1": " of true pairs found among the others",
    "psnr": " dB PSNR",
    "error": " standard deviations of error",
    "present": " answered",
}
"""Metric → what its figure counts; the first one that a direction has is its headline.

What a true pair saves comes before the error of a draw: the best of draws has twice the error of a mean.
"""
LOWER_IS_BETTER = ("error", "char_error", "mse", "bits", "near_duplicates", "verbatim")
"""Metrics of which less is better, with all that follows a dot."""
CEILING_FRACTION = 0.98
"""Share of the best figure that is as good as it."""
SPLIT_NAMES: Mapping[str, str] = {
    "seen": "seen combinations",
    "level1": "unseen combinations (level 1)",
    "level2": "unseen combinations and phrasings (level 2)",
}


def headlines(rows: Iterable[ScoreRow]) -> list[ScoreRow]:
    """The one row of each direction and split that says most, in order of appearance."""
    best: dict[tuple[str, str], ScoreRow] = {}
    for row in rows:
        place = (row.row, row.split)
        if place not in best or _rank(row) < _rank(best[place]):
            best[place] = row
    return list(best.values())


def sentence(row: ScoreRow) -> str:
    """`image->caption on seen combinations: 0.93 of slots (0.91–0.95, guess 0.25, …, n 500)`."""
    baselines = {
        "guess": row.floor,
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
    """Direction → a sentence, if on some split it is no better than a guess or a linear readout."""
    found: dict[str, str] = {}
    for row in headlines(rows):
        if _beaten(row):
            found.setdefault(row.row, f"no better than its baseline: {sentence(row)}")
    return found


def way(metric: str, figure: float | None, floor: float | None, ceiling: float | None) -> float | None:
    """Where a figure lies between its floor (0) and its ceiling (1), whichever is better being the ceiling's
    side; None where one of them is missing, or the ceiling is no better than the floor."""
    if figure is None or floor is None or ceiling is None or not sign(metric) * (ceiling - floor) > 0:
        return None
    return (figure - floor) / (ceiling - floor)


def _rank(row: ScoreRow) -> int:
    ranked = list(UNITS)
    return ranked.index(row.metric) if row.metric in ranked else len(ranked)


def sign(metric: str) -> int:
    """-1 where less is better, else 1."""
    return -1 if metric.split(".")[0] in LOWER_IS_BETTER else 1


def _beaten(row: ScoreRow) -> bool:
    better = sign(row.metric)
    simple = [better * value for value in (row.floor, row.baseline) if value is not None]
    if not simple or better * row.value > max(simple):
        return False
    if row.floor is not None and better * row.value < better * row.floor:
        return True
    # Where a simple answer reaches the ceiling too, there is nothing left to be better at.
    return (
        better < 0 or row.ceiling is None or not row.value >= CEILING_FRACTION * max(row.ceiling, *simple) > 0
    )
