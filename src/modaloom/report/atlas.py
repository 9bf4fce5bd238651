"""Codebook atlas: mean appearance, position map and usage of each code of the first quantizer (of sounds,
frames of a spectrogram, and how they sound), appearance and usage of global codes, which have no position,
and what the codes of texts and records say."""

import base64
from pathlib import Path

from modaloom.report.facts import Facts, Json
from modaloom.report.samples import value
from modaloom.report.tags import Html, join, table, tag
from modaloom.runs.store import SAMPLES

NUM_OPEN = 64
"""Number of codes that are shown unfolded."""
WORDS = (
    "Each tile is the mean of what lies under a code, the commonest first, with its share of all uses; the "
    "blue map says where in the value it stands."
)
TINT = (
    "Each tile is the two mean colours of the pictures under a code of the tint, that of their smaller part "
    "on the left; the commonest code first, with its share of all pictures."
)


def atlas(facts: Facts) -> Html | None:
    """Returns a block for every tokenizer with a sprite sheet, or whose codes say something."""
    streams = facts.data.get("streams", {})
    blocks = [_block(facts.folder / SAMPLES, name, entry, streams) for name, entry in facts.atlas.items()]
    return join(*blocks) if any(blocks) else None


def _said(name: str, entry: Json) -> Html:
    """Returns what the codes of texts and records say, the commonest first."""
    rows = [[word.replace(" ", "␣"), f"{share:.1%}"] for word, share in zip(entry["names"], entry["shares"])]
    title = tag("summary", f"{name}: {entry['used']} codes in use")
    return tag("details", title, table(["says", "share of all uses"], rows))


def _block(folder: Path, name: str, entry: Json, streams: Json) -> Html | None:
    if "names" in entry:
        return _said(name, entry)
    sheet = _source(folder / entry["file"])
    if sheet is None:
        return None
    tiles = [
        _code(i, code, share, entry) for i, (code, share) in enumerate(zip(entry["codes"], entry["shares"]))
    ]
    rest = tag("div", *tiles[NUM_OPEN:], class_="codes")
    return tag(
        "div",
        tag("h3", f"{name}: {entry['used']} codes in use"),
        tag("p", TINT if entry.get("whole") else WORDS, class_="note"),
        tag("div", *tiles[:NUM_OPEN], class_="codes"),
        tag("details", tag("summary", f"{len(tiles) - NUM_OPEN} more"), rest) if tiles[NUM_OPEN:] else None,
        _heard(folder, entry, streams),
        class_="atlas",
        style=f"--sheet: url({sheet}); --columns: {entry['columns']}",
    )


def _heard(folder: Path, entry: Json, streams: Json) -> Html | None:
    """Returns the commonest codes to listen to; None if there is nothing to hear."""
    if not entry.get("heard"):
        return None
    heard = [
        _card(f"code {code}", value(folder, entry["stream"], file, streams))
        for code, file in zip(entry["codes"], entry["heard"])
    ]
    title = tag("summary", f"the commonest {len(heard)}, repeated, to listen to")
    return tag("details", title, tag("div", *heard, class_="samples", tabindex=0))


def _card(caption: str, shown: Html) -> Html:
    return tag("article", tag("figure", tag("figcaption", caption), shown))


def _source(path: Path) -> str | None:
    """Returns the sprite sheet as a data URI; None if it is missing."""
    try:
        return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
    except OSError:
        return None


def _code(place: int, code: int, share: float, entry: Json) -> Html:
    """Returns a code's appearance, position map and usage.

    The sheet has a row of position maps below every row of appearances; global codes have no map.

    Args:
        place: index of the code's tile in the sheet.
        code: the code.
        share: fraction of all uses, in [0, 1].
        entry: entry of the atlas's index.
    """
    row, column = divmod(place, entry["columns"])
    looks, places = (f"--x: {column}; --y: {2 * row + below}" for below in (0, 1))
    where = None if entry.get("whole") else tag("i", class_="place", style=places)
    return tag(
        "span",
        tag("i", class_="look", style=looks),
        tag("small", where, f"{100 * share:.1f}%"),
        title=f"code {code}: {share:.2%} of all uses",
    )
