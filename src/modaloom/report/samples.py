"""Samples, with inputs, ground truth and the nearest training sample."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from modaloom.core.errors import ModaloomError
from modaloom.evaluation.headline import SPLIT_NAMES
from modaloom.modalities import MODALITIES
from modaloom.report.commands import shown as command
from modaloom.report.facts import Facts, Json
from modaloom.report.tags import Html, join, tag
from modaloom.runs.store import SAMPLES

ROLES: Mapping[str, str] = {"given": "given", "wanted": "drawn", "truth": "truth", "nearest": "nearest"}
"""Key in samples/index.json → its name on the page."""
NUM_OPEN = 2
"""Number of directions that are unfolded."""
MAX_CHARACTERS = 3_000_000
"""Maximum size of a section's values in characters of HTML."""


def samples(facts: Facts) -> Html | None:
    """Returns the first samples of every direction; None if there are none."""
    split = str(facts.samples.get("split", "the data"))
    words = (
        f"The first held-out samples of {SPLIT_NAMES.get(split, split)}, seed 0: nothing is picked. "
        "Nearest is the training sample most like what was drawn."
    )
    return _section(facts, "rows", words, lambda block: f"{len(block['rows'])} samples")


def worst(facts: Facts) -> Html | None:
    """Returns the samples with the lowest scores, of every direction with imperfect ones."""
    words = (
        "The draws with the lowest marks, the lowest first. A direction that is not here has no faulty one."
    )
    return _section(facts, "worst", words, lambda block: f"{len(block['worst'])} of {block['drawn']} drawn")


def _section(facts: Facts, kind: str, words: str, count: Callable[[Json], str]) -> Html | None:
    blocks = [block for block in facts.samples.get("blocks", []) if block.get(kind)]
    streams = facts.data.get("streams", {})
    folder, budget = facts.folder / SAMPLES, MAX_CHARACTERS // max(1, len(blocks))
    shown = [
        tag(
            "details",
            tag("summary", tag("h3", _title(block)), f" {count(block)}"),
            _cards(folder, block[kind], streams, budget),
            command(block["command"]) if "command" in block else None,
            open="" if i < NUM_OPEN else None,
        )
        for i, block in enumerate(blocks)
    ]
    return join(tag("p", words, class_="note"), *shown) if shown else None


def _title(block: Json) -> str:
    return f"{' + '.join(block['given']) or 'nothing'} → {' + '.join(block['want'])}"


def _cards(folder: Path, rows: list[Json], streams: Json, budget: int) -> Html:
    cards = within(budget, (_card(folder, row, streams) for row in rows))
    return join(tag("div", *cards, class_="samples", tabindex=0), more(len(rows) - len(cards)))


def within(budget: int, fragments: Iterable[Html]) -> list[Html]:
    """Returns the first fragments that fit into `budget` characters; the others are not generated."""
    taken = []
    for fragment in fragments:
        budget -= len(fragment)
        if budget < 0:
            break
        taken.append(fragment)
    return taken


def more(left: int) -> Html | None:
    """Returns a note on the number of samples that are not on the page; None if there are none."""
    return tag("p", f"{left} more in {SAMPLES}/", class_="note") if left else None


def _card(folder: Path, row: Json, streams: Json) -> Html:
    figures = [_figure(folder, role, row[role], streams) for role in ROLES if row.get(role)]
    return tag("article", *figures, tag("p", row["note"], class_="mark") if "note" in row else None)


def _figure(folder: Path, role: str, files: Mapping[str, str], streams: Json) -> Html:
    values = [value(folder, stream, file, streams) for stream, file in files.items()]
    return tag("figure", tag("figcaption", ROLES[role]), *values, class_=role)


def value(folder: Path, stream: str, file: str, streams: Json) -> Html:
    """Returns the modality's HTML of a value, or the reason why it cannot be shown.

    Args:
        folder: folder of the samples.
        stream: the value's stream.
        file: path relative to `folder`.
        streams: stream → facts on it, with `modality`.
    """
    facts = streams.get(stream, {})
    modality = MODALITIES.get(facts.get("modality", ""))
    if modality is None:
        return tag("em", f"{file} (its modality is unknown)")
    try:
        shown = modality.to_html(modality.read(folder / file), facts)
        return tag("div", Html(shown), class_="value", title=stream)
    except ModaloomError as error:
        return tag("em", error)
