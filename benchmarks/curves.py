"""Line plots as a PNG, side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from modaloom.report.plots import Axis, Line

WIDTH, HEIGHT = 460, 340
LEFT, RIGHT, TOP, BOTTOM = 50, 440, 40, 290
"""A panel, and the frame inside it, pixels."""
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f")
LEADING = 15


def plot(panels: Mapping[str, Sequence[Line]], path: Path, *, x: str, y: str) -> None:
    """Title → curves with values in 0..1 over a logarithmic x, their names in the corner."""
    sheet = Image.new("RGB", (WIDTH * len(panels), HEIGHT), "white")
    for i, (title, curves) in enumerate(panels.items()):
        sheet.paste(_panel(title, curves, x, y), (i * WIDTH, 0))
    sheet.save(path)


def _panel(title: str, curves: Sequence[Line], x: str, y: str) -> Image.Image:
    panel = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen, font = ImageDraw.Draw(panel), ImageFont.load_default(12)
    places = sorted({place for curve in curves for place, _ in curve.points})
    across = Axis(places[0], max(places[-1], 2 * places[0]), LEFT, RIGHT, log=True)
    up = Axis(0, 1, BOTTOM, TOP)
    for value in up.ticks():
        pen.line([LEFT, up.at(value), RIGHT, up.at(value)], fill="#dddddd")
        pen.text((LEFT - 6, up.at(value)), f"{value:.1f}", fill="black", font=font, anchor="rm")
    for place in places:
        pen.text((across.at(place), BOTTOM + 6), f"{place:g}", fill="black", font=font, anchor="mt")
    pen.text(((LEFT + RIGHT) / 2, HEIGHT - 8), x, fill="black", font=font, anchor="mb")
    pen.text((LEFT, TOP - 10), f"{title}: {y}", fill="black", font=font, anchor="lb")
    for i, (curve, colour) in enumerate(zip(curves, COLOURS)):
        points = [(across.at(a), up.at(b)) for a, b in curve.points]
        pen.line(points, fill=colour, width=2)
        for a, b in points:
            pen.ellipse([a - 3, b - 3, a + 3, b + 3], fill=colour)
        low = BOTTOM - 10 - LEADING * (len(curves) - 1 - i)
        pen.text((RIGHT, low), curve.name, fill=colour, font=font, anchor="rs")
    return panel
