"""Model card: training data, scores, limitations, command to reproduce the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """Content of a model card."""

    title: str
    counts: Mapping[str, int]
    """Split → number of samples."""
    split: str
    """One sentence on how samples are assigned to splits."""
    scores: Sequence[Mapping[str, object]]
    """Rows with equal columns, as written by `modaloom evaluate --json`."""
    limits: Sequence[str]
    """Limitations, one sentence each."""
    command: str
    """Command line that reproduces the model."""

    def markdown(self) -> str:
        """The card as Markdown, for README.md."""
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
