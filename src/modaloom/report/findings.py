"""Diagnosis of each direction, and warnings."""

from modaloom.report.facts import Facts
from modaloom.report.scores import arrow
from modaloom.report.tags import Html, table, tag


def diagnosis(facts: Facts) -> Html | None:
    """Returns a table of the diagnosed directions."""
    rows = [[arrow(entry["row"]), entry["sentence"]] for entry in facts.scores.get("diagnosis", [])]
    return table(["direction", "what limits it"], rows, class_="words") if rows else None


def warnings(facts: Facts) -> Html | None:
    """Returns a list of the warnings."""
    sentences = cautions(facts)
    return tag("ul", *(tag("li", one) for one in sentences), class_="warnings") if sentences else None


def cautions(facts: Facts) -> list[str]:
    """Returns the run's warnings, and one for each damaged file."""
    return [*facts.scores.get("warnings", []), *(f"{file} is damaged." for file in facts.damaged)]
