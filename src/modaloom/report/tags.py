"""HTML generation with escaping by default."""

import html
from collections.abc import Sequence


class Html(str):
    """A string of HTML, which is not escaped."""

    __slots__ = ()


def join(*parts: object) -> Html:
    """Concatenates parts: `Html` unchanged, None left out, everything else as escaped text."""
    return Html("".join(part if isinstance(part, Html) else _text(part) for part in parts))


def tag(element: str, *children: object, **attributes: object) -> Html:
    """Returns `<element attributes>children</element>`; `class_` becomes class, None omits an attribute."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_text(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{element}{written}>{join(*children)}</{element}>")


def table(head: Sequence[object], rows: Sequence[Sequence[object]], **attributes: object) -> Html:
    """Returns a table that scrolls horizontally if too wide; the first cell of a row is its header."""
    lines = [
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows
    ]
    top = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    return tag("div", tag("table", tag("thead", top), tag("tbody", *lines), **attributes), class_="scroll")


def number(value: object) -> str:
    """Formats a value with three significant digits; None becomes –."""
    if value is None:
        return "–"
    return (
        f"{value:.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )


def _text(value: object) -> str:
    return "" if value is None else html.escape(str(value))
