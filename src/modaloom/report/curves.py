"""Training curves, and codebook usage."""

import math
from collections import defaultdict

from modaloom.report.facts import Facts, Json
from modaloom.report.plots import Line, bars, lines
from modaloom.report.tags import Html, tag
from modaloom.runs.store import Record

SOURCES = {"loss": "training", "val": "validation"}
"""Prefix of a log key → name of the curve."""
QUANTITIES = {
    "bits": "bits per code",
    "reconstruction": "reconstruction loss",
    "mean": "error of the mean",
    "sample": "error of a step",
}
"""Second part of a log key → unit; other keys are not plotted."""

Panels = dict[tuple[str, str], dict[str, list[tuple[float, float]]]]
"""(Title, unit) → source → points (step, value)."""


def curves(facts: Facts) -> Html | None:
    """Returns a plot for every stage and stream, with training and validation curves."""
    plots = [
        lines(
            [Line(SOURCES[source], sorted(drawn[source])) for source in SOURCES if source in drawn],
            title=title,
            x="step",
            y=unit,
        )
        for (title, unit), drawn in _panels(facts.metrics).items()
    ]
    return tag("div", *plots, class_="plots") if plots else None


def usage(facts: Facts) -> Html | None:
    """Returns a bar chart of code counts for every codebook, in descending order."""
    plots = [_codebook(name, book, depth) for name, book in facts.usage.items() for depth in _depths(book)]
    return tag("div", *plots, class_="plots") if plots else None


def _panels(records: list[Record]) -> Panels:
    panels: Panels = defaultdict(lambda: defaultdict(list))
    for record in records:
        for key, value in record.items():
            source, _, rest = key.partition(".")
            quantity, _, stream = rest.partition(".")
            if source in SOURCES and quantity in QUANTITIES and _is_finite(value):
                title = " · ".join(filter(None, (str(record.get("stage", "")), stream)))
                panels[title, QUANTITIES[quantity]][source].append((record.get("step", 0), value))
    return panels


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _depths(book: Json) -> range:
    return range(len(book.get("counts", [])))


def _codebook(name: str, book: Json, depth: int) -> Html:
    counts = sorted(book["counts"][depth], reverse=True)
    perplexity, dead = book["perplexity"][depth], counts.count(0)
    return bars(
        counts,
        title=f"{name}, depth {depth + 1} of {len(book['counts'])}" if len(book["counts"]) > 1 else name,
        note=f"perplexity {perplexity:.0f} of {len(counts)} ({perplexity / len(counts):.0%}), "
        f"{dead} codes never used",
        x="codes, the commonest first",
        y="uses in the training data",
    )
