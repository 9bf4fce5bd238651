"""What the run says of itself in sentences: a diagnosis of each direction, and warnings."""

from modaloom.report.facts import Facts
from modaloom.report.scores import arrow
from modaloom.report.tags import Html, table, tag


def diagnosis(facts: Facts) -> Html | None:
    """A sentence for every direction that has one."""
    rows = [[arrow(entry["row"]), entry["sentence"]] for entry in facts.scores.get("diagnosis", [])]
    return table(["direction", "what limits it"], rows, class_="words") if rows else None


def warnings(facts: Facts) -> Html | None:
    """What to be careful with."""
    sentences = cautions(facts)
    return tag("ul", *(tag("li", one) for one in sentences), class_="warnings") if sentences else None


def cautions(facts: Facts) -> list[str]:
    """The run's own warnings, and the files that are damaged."""
    return [*facts.scores.get("warnings", []), *(f"{file} is damaged." for file in facts.damaged)]
