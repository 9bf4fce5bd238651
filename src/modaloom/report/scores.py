"""The scores: a matrix of what is given and wanted, and every figure below it."""

from collections import defaultdict
from typing import Any

from modaloom.report.facts import Facts
from modaloom.report.tags import Html, join, number, table, tag

METRICS = ("slot.mean", "exact", "psnr")
"""The metric that stands for a row: the first of these that it has, else its first one."""
COLUMNS = ("row", "split", "metric", "value", "floor", "baseline", "retrieval", "ceiling", "n")

Score = dict[str, Any]


def scores(facts: Facts) -> Html | None:
    """None without an evaluation."""
    rows: list[Score] = facts.scores.get("rows", [])
    if not rows:
        return None
    every = table(list(COLUMNS), [[number(score.get(name)) for name in COLUMNS] for score in rows])
    return join(
        _matrix(_chosen(rows)),
        tag(
            "p",
            "A cell is empty at the floor (nothing was learned) and full at the ceiling (what real data "
            "scores). ▾ is no better than the baseline.",
            class_="note",
        ),
        tag("details", tag("summary", f"every figure ({len(rows)})"), every),
    )


def _chosen(rows: list[Score]) -> dict[str, list[Score]]:
    """Row → the score that stands for it in each of its splits."""
    found: dict[tuple[str, str], dict[str, Score]] = defaultdict(dict)
    for score in rows:
        found[score["row"], score["split"]][score["metric"]] = score
    chosen: dict[str, list[Score]] = defaultdict(list)
    for (row, _), metrics in found.items():
        chosen[row].append(metrics[next((name for name in METRICS if name in metrics), next(iter(metrics)))])
    return chosen


def _matrix(chosen: dict[str, list[Score]]) -> Html | None:
    """Given × wanted."""
    cells = {tuple(row.split("->", 1)): chips for row, chips in chosen.items() if "->" in row}
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
    """A value with its split, filled by where it lies between floor and ceiling."""
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
    """Where a figure lies between the floor (0) and the ceiling (1), which may be the lower one."""
    figure, floor, ceiling = (score.get(key) for key in (name, "floor", "ceiling"))
    if figure is None or floor is None or ceiling is None or floor == ceiling:
        return None
    return float((figure - floor) / (ceiling - floor))
