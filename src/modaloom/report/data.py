"""Training data and configuration of a run."""

from modaloom.core.json_text import to_json
from modaloom.report.facts import Facts
from modaloom.report.tags import Html, join, number, table, tag

MAX_SKIPPED = 20
"""Maximum number of listed skipped files."""


def data(facts: Facts) -> Html | None:
    """Returns streams, number of samples in each split, and skipped files."""
    if not facts.data:
        return None
    streams = [
        [name, stream.get("modality"), stream.get("tokenizer"), "×".join(map(str, stream.get("grid", [])))]
        for name, stream in facts.data.get("streams", {}).items()
    ]
    counts = ", ".join(f"{split} {number(n)}" for split, n in facts.data.get("counts", {}).items())
    return join(
        table(["stream", "modality", "tokenizer", "positions"], streams),
        tag("p", f"Samples: {counts}. ", facts.data.get("split")),
        _skipped(facts.data.get("skipped", []), facts.private),
    )


def configuration(facts: Facts) -> Html | None:
    """Returns the complete configuration, folded."""
    if not facts.config:
        return None
    settings = tag("pre", to_json(facts.config, indent=2))
    return tag("details", tag("summary", "configuration"), settings)


def _skipped(skipped: list[str], private: bool) -> Html | None:
    if not skipped or private:
        return tag("p", f"{len(skipped)} files skipped.") if skipped else None
    listed = [tag("li", entry) for entry in skipped[:MAX_SKIPPED]]
    rest = f"… and {len(skipped) - MAX_SKIPPED} more" if len(skipped) > MAX_SKIPPED else None
    return tag("details", tag("summary", f"{len(skipped)} skipped"), tag("ul", *listed), rest)
