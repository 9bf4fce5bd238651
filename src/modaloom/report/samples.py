"""What the model made, beside what it was given and the truth."""

from collections.abc import Iterable
from pathlib import Path

from modaloom.core.errors import ModaloomError
from modaloom.modalities import MODALITIES
from modaloom.report.facts import SAMPLES, Facts, Json
from modaloom.report.tags import Html, join, tag

ROLES = {"given": "given", "wanted": "generated", "truth": "truth", "nearest": "nearest in training"}
"""Key in samples/index.json → what the page calls it."""
BUDGET = 8_000_000
"""Characters that all values together may take on the page."""


def samples(facts: Facts) -> Html | None:
    """A block for every direction; None where there is none."""
    blocks = facts.samples.get("blocks", [])
    streams = facts.data.get("streams", {})
    shown = [_block(facts.folder / SAMPLES, block, streams, BUDGET // len(blocks)) for block in blocks]
    return join(*shown) if shown else None


def _block(folder: Path, block: Json, streams: Json, budget: int) -> Html:
    rows = block.get("rows", [])
    shown = _within(budget, (_row(folder, row, streams) for row in rows))
    left = len(rows) - len(shown)
    return join(
        tag("h3", block.get("title")),
        tag("pre", block["command"]) if "command" in block else None,
        *shown,
        tag("p", f"{left} more in {SAMPLES}/", class_="note") if left else None,
    )


def _within(budget: int, fragments: Iterable[Html]) -> list[Html]:
    """The first fragments that fit; those behind are not even made."""
    taken = []
    for fragment in fragments:
        budget -= len(fragment)
        if budget < 0:
            break
        taken.append(fragment)
    return taken


def _row(folder: Path, row: Json, streams: Json) -> Html:
    figures = [
        _figure(f"{name} {stream}", [_value(folder, stream, file, streams) for file in _files(files)], role)
        for role, name in ROLES.items()
        for stream, files in (row.get(role) or {}).items()
    ]
    return tag("div", *figures, class_="row", title=row.get("key"))


def _files(files: str | list[str]) -> list[str]:
    return [files] if isinstance(files, str) else files


def _figure(caption: str, values: list[Html], role: str) -> Html:
    return tag("figure", tag("figcaption", caption), tag("div", *values, class_="values"), class_=role)


def _value(folder: Path, stream: str, file: str, streams: Json) -> Html:
    """The value as its modality shows it, or why it cannot be shown."""
    modality = MODALITIES.get(streams.get(stream, {}).get("modality", ""))
    if modality is None:
        return tag("em", f"{file} (its modality is unknown)")
    try:
        return tag("div", Html(modality.show(modality.read(folder / file))), class_="value")
    except ModaloomError as error:
        return tag("em", error)
