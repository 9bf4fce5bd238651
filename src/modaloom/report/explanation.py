"""The page of an explanation: what of the given values drove the generated one, drawn over them."""

import base64
import io
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from PIL import Image

from modaloom.loom.explanation import Attribution, Explanation
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value
from modaloom.report.commands import shown as command_block
from modaloom.report.page import document
from modaloom.report.plots import Line, lines
from modaloom.report.tags import Html, join, tag

SIDE = 256
"""Pixels of a picture's longer side; smaller ones are enlarged."""
NUM_BARS, NUM_PREVIEWS = 10, 8
"""Most parts in a table, and most steps of the denoising on the page."""
MAP = (
    "Orange speaks for what was generated, blue against it; the stronger, the more bits. The bits of all "
    "parts sum to what is told by all that was given."
)
PROOF = (
    "Parts are hidden (deletion) or shown (insertion) one by one, the most important first, and in {n} "
    "random orders: the attributions mean something where deletion lies below the random orders, and "
    "insertion above."
)


def explanation_page(found: Explanation, facts: Mapping[str, Any], command: str) -> str:
    """Returns the page.

    Args:
        found: the explanation.
        facts: stream → facts on it, as in data.json.
        command: what wrote it.
    """
    title = f"{' + '.join(found.given)} → {found.want}"
    strongest = max((abs(one.bits) for one in found.parts), default=0) or 1.0
    told = sum(found.streams.values())
    words = f"It takes {found.bits:.1f} bits; what was given tells {told:.1f} of them."
    top = tag(
        "header", tag("p", "modaloom", class_="brand"), tag("h1", title), tag("p", words, class_="note")
    )
    body = [
        _section("Generated", _value(found, found.want, found.value, facts), command_block(command)),
        *(_stream(found, name, facts, strongest) for name in found.given),
        _section("Proof", tag("p", PROOF.format(n=len(found.random)), class_="note"), _curves(found)),
    ]
    if found.previews:
        body.append(_section("Denoising", _previews(found, facts)))
    return document(title, top, body)


def _section(title: str, *content: Html) -> Html:
    return tag("section", tag("h2", title), *content)


def _value(found: Explanation, stream: str, value: Value, facts: Mapping[str, Any]) -> Html:
    shown = MODALITIES[found.modality_of[stream]].to_html(value, facts.get(stream, {}))
    return tag("div", Html(shown))


def _stream(found: Explanation, name: str, facts: Mapping[str, Any], strongest: float) -> Html:
    parts = [one for one in found.parts if one.stream == name]
    picture = MODALITIES[found.modality_of[name]].picture
    drawn = (
        _words(parts, strongest)
        if picture is None
        else _map(picture(found.given[name], facts.get(name, {})), parts, strongest)
    )
    title = f"{name}: {found.streams[name]:.2f} bits"
    return _section(title, tag("p", MAP, class_="note"), drawn, _bars(parts, strongest))


def _map(picture: Image.Image, parts: Sequence[Attribution], strongest: float) -> Html:
    """Returns the picture under a heat map; parts without a place are beside it."""
    width, height, buffer = *_size(picture), io.BytesIO()
    picture.save(buffer, "PNG")
    source = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    image = tag("img", src=source, width=width, height=height, alt="what was given")
    boxes = [
        tag(
            "i",
            class_=_side(one),
            style=f"{_place(one)}; opacity: {_opacity(one, strongest)}",
            title=_told(one),
        )
        for one in parts
        if one.box is not None
    ]
    rest = [one for one in parts if one.box is None]
    return join(tag("div", image, *boxes, class_="map"), _words(rest, strongest) if rest else None)


def _size(picture: Image.Image) -> tuple[int, int]:
    zoom = max(1, SIDE // max(picture.size))
    return picture.width * zoom, picture.height * zoom


def _place(one: Attribution) -> str:
    assert one.box is not None
    left, top, right, bottom = (100 * end for end in one.box)
    return f"left: {left:.2f}%; top: {top:.2f}%; width: {right - left:.2f}%; height: {bottom - top:.2f}%"


def _words(parts: Sequence[Attribution], strongest: float) -> Html:
    """Returns the names of parts, coloured."""
    marks = [
        tag(
            "span",
            tag("i", class_=_side(one), style=f"opacity: {_opacity(one, strongest)}"),
            tag("b", one.part),
            title=_told(one),
        )
        for one in parts
    ]
    return tag("p", *marks, class_="words")


def _bars(parts: Sequence[Attribution], strongest: float) -> Html:
    """Returns a table of the parts that tell most, for or against."""
    most = sorted(parts, key=lambda one: -abs(one.bits))[:NUM_BARS]
    rows = [
        tag(
            "tr",
            tag("th", one.part, scope="row"),
            tag("td", f"{one.bits:.2f}"),
            tag("td", tag("i", class_=_side(one), style=f"width: {100 * abs(one.bits) / strongest:.0f}%")),
        )
        for one in most
    ]
    return tag("table", tag("tbody", *rows), class_="bits")


def _side(one: Attribution) -> str:
    return "against" if one.bits < 0 else "for"


def _opacity(one: Attribution, strongest: float) -> str:
    return f"{0.7 * abs(one.bits) / strongest:.2f}"


def _told(one: Attribution) -> str:
    return f"{one.part}: {one.bits:.2f} bits"


def _curves(found: Explanation) -> Html:
    shown = [fmean(column) for column in zip(*found.random, strict=True)]
    return tag(
        "div",
        _plot("deletion", found, found.deletion, shown[::-1]),
        _plot("insertion", found, found.insertion, shown),
        class_="plots",
    )


def _plot(name: str, found: Explanation, bits: Sequence[float], random: Sequence[float]) -> Html:
    """Returns a curve beside the mean of the random ones."""
    curves = [Line("attributed", [*enumerate(bits)]), Line("random, mean", [*enumerate(random)])]
    (own,), others = found.areas[name], ", ".join(f"{one:.2f}" for one in found.areas["random"])
    return lines(
        curves, title=f"{name}: mean {own:.2f}, of random orders {others}", x="parts", y="log₂ p, bits"
    )


def _previews(found: Explanation, facts: Mapping[str, Any]) -> Html:
    n = len(found.previews)
    places = sorted({round(i * (n - 1) / max(1, NUM_PREVIEWS - 1)) for i in range(NUM_PREVIEWS)})
    cards = [
        tag(
            "figure",
            tag("figcaption", f"step {i + 1} of {n}"),
            _value(found, found.want, found.previews[i], facts),
        )
        for i in places
    ]
    return tag("div", *(tag("article", card) for card in cards), class_="samples")
