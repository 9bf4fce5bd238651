"""Model card: training data, scores, limitations, command to reproduce the model.

It begins with the metadata of the Hugging Face hub, in YAML: https://huggingface.co/docs/hub/model-cards.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modaloom.core.yaml_text import to_yaml

LIBRARY, PIPELINE = "modaloom", "any-to-any"
BOUNDS = ("low", "high", "floor", "baseline", "retrieval", "ceiling", "n")
"""What a score stands beside."""


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
    dataset: str = ""
    """Name of the data."""
    tags: Sequence[str] = ()
    pipeline: str = PIPELINE
    """The hub's name of what the model does."""
    license: str = ""
    """Identifier of a license; empty: none."""

    def metadata(self) -> dict[str, Any]:
        """The metadata of the hub: library, tags, license, and scores with what they stand beside."""
        dataset = self.dataset or self.title
        results = [_result(row, dataset, self.pipeline) for row in self.scores if _is_finite(row)]
        return {
            "library_name": LIBRARY,
            "pipeline_tag": self.pipeline,
            "tags": list(dict.fromkeys([LIBRARY, *self.tags])),
            **({"license": self.license} if self.license else {}),
            **({"model-index": [{"name": self.title, "results": results}]} if results else {}),
        }

    def markdown(self) -> str:
        """The card as Markdown with its metadata, for README.md."""
        sections = {
            "Data": [*(f"- {split}: {n:,} samples" for split, n in self.counts.items()), "", self.split],
            "Scores": _table(self.scores) or ["Not evaluated."],
            "Limits": [f"- {limit}" for limit in self.limits] or ["None stated."],
            "Reproduce": ["```", self.command, "```"],
        }
        body = [line for name, lines in sections.items() for line in ("", f"## {name}", "", *lines)]
        return "\n".join([f"---{to_yaml(self.metadata())}\n---\n", f"# {self.title}", *body]) + "\n"


def _is_finite(row: Mapping[str, Any]) -> bool:
    return row.get("value") is not None and math.isfinite(row["value"])


def _result(row: Mapping[str, Any], dataset: str, pipeline: str) -> dict[str, Any]:
    """A row of scores as an entry of the model index."""
    named = {name: row[name] for name in BOUNDS if row.get(name) is not None}
    metric = {"type": row["metric"], "value": row["value"], "name": _described(row["metric"], named)}
    return {
        "task": {"type": pipeline, "name": row["row"]},
        "dataset": {"type": dataset, "name": dataset, "split": row["split"]},
        "metrics": [{**metric, "args": named}],
    }


def _described(metric: str, named: Mapping[str, Any]) -> str:
    interval = f"95% interval {_cell(named['low'])} to {_cell(named['high'])}" if "low" in named else ""
    ceiling = f"ceiling {_cell(named['ceiling'])}" if "ceiling" in named else ""
    return ", ".join(filter(None, [metric, interval, ceiling]))


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
