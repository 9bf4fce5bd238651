"""The card of a model: what it was made from, how good it is, where it ends, how to make it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """The facts of a card."""

    title: str
    counts: Mapping[str, int]
    """Split → number of samples."""
    split: str
    """What keeps the splits apart, in a sentence."""
    scores: Sequence[Mapping[str, object]]
    """Rows of one shape, as `modaloom evaluate --json` writes them."""
    limits: Sequence[str]
    """Sentences: what it was not trained for or cannot do."""
    command: str
    """A command line that reproduces it."""

    def markdown(self) -> str:
        """The card as a README."""
        sections = {
            "Data": [*(f"- {split}: {n:,} samples" for split, n in self.counts.items()), "", self.split],
            "Scores": _table(self.scores) or ["Not evaluated."],
            "Limits": [f"- {limit}" for limit in self.limits] or ["None stated."],
            "Reproduce": ["```", self.command, "```"],
        }
        body = [line for name, lines in sections.items() for line in ("", f"## {name}", "", *lines)]
        return "\n".join([f"# {self.title}", *body]) + "\n"


def _table(rows: Sequence[Mapping[str, object]]) -> list[str]:
    if not rows:
        return []
    head = list(rows[0])
    cells = [head, ["---"] * len(head), *([_cell(row[name]) for name in head] for row in rows)]
    return [f"| {' | '.join(row)} |" for row in cells]


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
