"""Curves as a PNG, one panel beside the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from modaloom.report.plots import Axis, Line

WIDTH, HEIGHT = 460, 340
LEFT, RIGHT, TOP, BOTTOM = 50, 440, 40, 290
"""A panel, and the frame inside it, pixels."""
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f")
LEADING = 15
FEW = 8
"""Up to so many values of x, each gets a label."""


@dataclass(frozen=True)
class Scale:
    """What an axis shows: from 0 to the largest value, or, logarithmic, from the smallest one."""

    name: str
    log: bool = False

    def axis(self, values: Sequence[float], start: float, end: float) -> Axis:
        low, high = (min(values) if self.log else 0.0), max(values)
        return Axis(low, high if high > low else 2 * low + 1, start, end, log=self.log)


def chart(
    panels: Mapping[str, Sequence[Line]], path: Path, *, x: Scale, y: Scale, joined: bool = True
) -> None:
    """Title → curves, their names in the corner on the right that they leave free; or points alone."""
    sheet = Image.new("RGB", (WIDTH * len(panels), HEIGHT), "white")
    for i, (title, curves) in enumerate(panels.items()):
        sheet.paste(_panel(title, curves, x, y, joined), (i * WIDTH, 0))
    sheet.save(path)


def _panel(title: str, curves: Sequence[Line], x: Scale, y: Scale, joined: bool) -> Image.Image:
    panel = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen, font = ImageDraw.Draw(panel), ImageFont.load_default(12)
    xs, ys = zip(*(point for curve in curves for point in curve.points))
    across, up = x.axis(xs, LEFT, RIGHT), y.axis(ys, BOTTOM, TOP)
    for value in up.ticks():
        pen.line([LEFT, up.at(value), RIGHT, up.at(value)], fill="#dddddd")
        pen.text((LEFT - 6, up.at(value)), f"{value:g}", fill="black", font=font, anchor="rm")
    few = sorted({*xs})
    for value in few if len(few) <= FEW else across.ticks():
        pen.text((across.at(value), BOTTOM + 6), f"{value:g}", fill="black", font=font, anchor="mt")
    pen.text(((LEFT + RIGHT) / 2, HEIGHT - 8), x.name, fill="black", font=font, anchor="mb")
    pen.text((LEFT, TOP - 10), f"{title}: {y.name}", fill="black", font=font, anchor="lb")
    ends = [up.at(curve.points[-1][1]) for curve in curves]
    names = TOP if sum(ends) / len(ends) > (TOP + BOTTOM) / 2 else BOTTOM - LEADING * (len(curves) + 1)
    for i, (curve, colour) in enumerate(zip(curves, COLOURS)):
        points = [(across.at(a), up.at(b)) for a, b in curve.points]
        if joined:
            pen.line(points, fill=colour, width=2)
        for a, b in points:
            pen.ellipse([a - 3, b - 3, a + 3, b + 3], fill=colour)
        pen.text((RIGHT, names + LEADING * (i + 1)), curve.name, fill=colour, font=font, anchor="rs")
    return panel
