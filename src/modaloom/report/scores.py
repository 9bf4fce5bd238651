"""Scores: a matrix of inputs × targets, and a table of all rows."""

from collections import defaultdict
from typing import Any

from modaloom.evaluation.headline import UNITS, way
from modaloom.report.facts import Facts
from modaloom.report.tags import Html, join, number, table, tag

COLUMNS = (
    *("row", "split", "metric", "value", "low", "high"),
    *("floor", "baseline", "retrieval", "ceiling", "n"),
)
WORDS = (
    "A cell is empty at the floor (nothing was learned) and full at the ceiling (what real data scores). "
    "▾ is no better than the baseline."
)

Score = dict[str, Any]
"""An evaluation row as written by `evaluate --json`."""


def scores(facts: Facts) -> Html | None:
    """Returns matrix and table; None without an evaluation."""
    rows: list[Score] = facts.scores.get("rows", [])
    if not rows:
        return None
    columns = [name for name in COLUMNS if any(name in score for score in rows)]
    every = table(columns, [[number(score.get(name)) for name in columns] for score in rows])
    matrix = _matrix(by_direction(rows))
    return join(
        matrix,
        tag("p", WORDS, class_="note") if matrix else None,
        *(tag("p", one, class_="note") for one in facts.scores.get("notes", []) if not facts.private),
        tag("details", tag("summary", f"every figure ({len(rows)})"), every),
    )


def by_direction(rows: list[Score]) -> dict[str, dict[str, Score]]:
    """Direction → split → headline score; rows that are not directions are left out."""
    found: dict[str, dict[str, Score]] = defaultdict(dict)
    for score in rows:
        name, split = score["row"], score["split"]
        if "->" in name and (split not in found[name] or _rank(score) < _rank(found[name][split])):
            found[name][split] = score
    return dict(found)


def arrow(row: str) -> str:
    """Returns a direction for display: `image + question → answer`."""
    given, _, want = row.partition("->")
    return f"{_name(given)} → {_name(want)}"


def _rank(score: Score) -> int:
    ranked = list(UNITS)
    return ranked.index(score["metric"]) if score["metric"] in ranked else len(ranked)


def _matrix(directions: dict[str, dict[str, Score]]) -> Html | None:
    """Returns the matrix of inputs × targets."""
    cells = {tuple(row.split("->", 1)): [*splits.values()] for row, splits in directions.items()}
    if not cells:
        return None
    givens, wanteds = (list(dict.fromkeys(names)) for names in zip(*cells))
    lines = [
        [_name(given), *(_cell(cells.get((given, wanted), [])) for wanted in wanteds)] for given in givens
    ]
    return table(["given", *(f"→ {_name(wanted)}" for wanted in wanteds)], lines, class_="matrix")


def _name(streams: str) -> str:
    return streams.replace("+", " + ") or "nothing"


def _cell(chips: list[Score]) -> Html:
    metric = tag("small", chips[0]["metric"]) if chips else None
    return join(*map(_chip, chips), metric)


def _chip(score: Score) -> Html:
    """Returns a value with its split, filled by its position between floor and ceiling."""
    value, baseline = _place(score, "value"), _place(score, "baseline")
    weak = value is not None and baseline is not None and value <= baseline
    return tag(
        "span",
        tag("small", score["split"]),
        tag("b", number(score.get("value")), " ▾" if weak else None),
        class_="chip",
        style=f"--fill: {round(100 * min(1, max(0, value or 0)))}%",
        title="\n".join(f"{name} {number(score.get(name))}" for name in COLUMNS[2:]),
    )


def _place(score: Score, name: str) -> float | None:
    """Returns the normalized value (floor 0, ceiling 1)."""
    return way(score["metric"], score.get(name), score.get("floor"), score.get("ceiling"))
