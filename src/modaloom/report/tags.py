"""HTML that escapes by default."""

import html
from collections.abc import Sequence


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def join(*parts: object) -> Html:
    """Parts in a row: `Html` as it is, None left out, everything else as escaped text."""
    return Html("".join(part if isinstance(part, Html) else _text(part) for part in parts))


def tag(element: str, *children: object, **attributes: object) -> Html:
    """`<element attributes>children</element>`; `class_` is written class, None is no attribute."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_text(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Html(f"<{element}{written}>{join(*children)}</{element}>")


def table(head: Sequence[object], rows: Sequence[Sequence[object]], **attributes: object) -> Html:
    """A table that scrolls sideways where it does not fit; the first cell of a row heads it."""
    lines = [
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows
    ]
    top = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    return tag("div", tag("table", tag("thead", top), tag("tbody", *lines), **attributes), class_="scroll")


def number(value: object) -> str:
    """Three significant digits; – for what there is not."""
    if value is None:
        return "–"
    return (
        f"{value:.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )


def _text(value: object) -> str:
    return "" if value is None else html.escape(str(value))
