"""Curves as a picture file, one panel beside the other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from modaloom.report.plots import Axis, Line

WIDTH, HEIGHT, MARGIN = 480, 360, 56
"""Of a panel and of the room for its axis' labels, pixels."""
COLOURS = ("#1f6feb", "#d1570a", "#2d8a4e", "#8250df")
INK, GRID = "#222222", "#dddddd"

Panel = Sequence[Line]
"""Curves over one pair of axes."""


def chart(panels: Mapping[str, Panel], path: Path, *, x: str, y: str) -> None:
    """A panel for each title; y is logarithmic."""
    sheet = Image.new("RGB", (WIDTH * len(panels), HEIGHT), "white")
    for i, (title, lines) in enumerate(panels.items()):
        panel = Image.new("RGB", (WIDTH, HEIGHT), "white")
        _draw(ImageDraw.Draw(panel), f"{title}: {y} over {x}", lines)
        sheet.paste(panel, (i * WIDTH, 0))
    sheet.save(path)


def _draw(pen: ImageDraw.ImageDraw, title: str, lines: Panel) -> None:
    xs, ys = zip(*(point for line in lines for point in line.points))
    across = Axis(0, max(xs), MARGIN, WIDTH - 16)
    up = Axis(min(ys) / 1.1, max(ys) * 1.1, HEIGHT - 32, 32, log=True)
    pen.text((MARGIN, 8), title, fill=INK, font=_font())
    _grid(pen, across, up)
    for i, line in enumerate(lines):
        places = [(across.at(a), up.at(b)) for a, b in line.points]
        pen.line(places, fill=COLOURS[i], width=2)
        for a, b in places:
            pen.ellipse((a - 3, b - 3, a + 3, b + 3), fill=COLOURS[i])
        pen.text((WIDTH - 24, 40 + 16 * i), line.name, fill=COLOURS[i], font=_font(), anchor="ra")


def _grid(pen: ImageDraw.ImageDraw, across: Axis, up: Axis) -> None:
    for tick in up.ticks():
        pen.line((MARGIN, up.at(tick), WIDTH - 16, up.at(tick)), fill=GRID)
        pen.text((MARGIN - 6, up.at(tick)), f"{tick:g}", fill=INK, font=_font(), anchor="rm")
    for tick in across.ticks():
        pen.text((across.at(tick), HEIGHT - 26), f"{tick:g}", fill=INK, font=_font(), anchor="ma")


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(12)
