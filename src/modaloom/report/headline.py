"""Headline metrics of a run, on unseen combinations if there is such a split."""

from collections.abc import Mapping

from modaloom.evaluation.headline import SPLIT_NAMES, UNITS, sign
from modaloom.report.facts import Facts
from modaloom.report.scores import Score, arrow, by_direction
from modaloom.report.tags import Html, join, tag

SPLIT = "level1"
"""Preferred split: seen factors in unseen combinations. Else the last split is used."""
MAX_CARDS = 4
"""Maximum number of cards; directions with the fewest input streams come first."""
BASELINES: Mapping[str, str] = {
    "value": "this run",
    "retrieval": "retrieval",
    "baseline": "baseline",
    "floor": "floor",
    "ceiling": "ceiling",
}
"""Field of a score → its name on the page, in the order of the bars."""
WORDS = (
    "The floor ignores the inputs; the baseline is a linear probe; retrieval answers with the nearest "
    "training sample; the ceiling is the truth, encoded and decoded by the tokenizer."
)


def headline(facts: Facts) -> Html | None:
    """Returns a card for each of the directions with the fewest inputs; None without an evaluation."""
    scores = [_telling(splits) for splits in by_direction(facts.scores.get("rows", [])).values()]
    if not scores:
        return None
    fewest = min(_given(score) for score in scores if _given(score) or len(scores) == 1)
    cards = [_card(score) for score in scores if _given(score) == fewest][:MAX_CARDS]
    sentences = [tag("li", sentence) for sentence in facts.scores.get("headline", [])]
    return join(
        tag("div", *cards, class_="cards"),
        tag("p", WORDS, class_="note"),
        tag("details", tag("summary", "all directions in sentences"), tag("ul", *sentences))
        if sentences
        else None,
    )


def _telling(splits: Mapping[str, Score]) -> Score:
    return splits.get(SPLIT) or [*splits.values()][-1]


def _given(score: Score) -> int:
    """Returns the number of input streams."""
    return len([*filter(None, str(score["row"]).partition("->")[0].split("+"))])


def _card(score: Score) -> Html:
    metric, split = str(score["metric"]), str(score["split"])
    less = "; less is better" if sign(metric) < 0 else ""
    interval = _interval(score)
    return tag(
        "article",
        tag("h3", arrow(score["row"])),
        tag(
            "p",
            ", ".join(filter(None, [f"on {SPLIT_NAMES.get(split, split)}", _count(score)])),
            class_="note",
        ),
        tag("p", tag("b", f"{score['value']:.2f}"), UNITS.get(metric, f" {metric}"), less, class_="figure"),
        tag("p", interval, class_="note") if interval else None,
        tag("div", *_bars(score), class_="rivals"),
        class_="card",
    )


def _count(score: Score) -> str | None:
    return f"n {score['n']}" if score.get("n") else None


def _interval(score: Score) -> str | None:
    low, high = score.get("low"), score.get("high")
    return None if low is None or high is None else f"95% interval {low:.2f} to {high:.2f}"


def _bars(score: Score) -> list[Html]:
    figures = {key: score[key] for key in BASELINES if score.get(key) is not None}
    longest = max(*figures.values(), 1e-9)
    return [
        join(
            tag("span", BASELINES[key]),
            tag("i", tag("i", style=f"width: {max(0, round(100 * value / longest))}%"), class_=f"bar {key}"),
            tag("span", f"{value:.2f}"),
        )
        for key, value in figures.items()
    ]
