"""Line plots and bar charts as inline SVG, with colours from the page's style sheet."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from modaloom.report.tags import Html, join, number, tag

WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 350, 20, 164
"""The plot's frame inside the image, in pixels."""
MAX_POINTS = 200
"""Maximum number of points per line, and of bars; bounds the size of the page."""


@dataclass(frozen=True)
class Line:
    """A curve."""

    name: str
    points: Sequence[tuple[float, float]]
    """(x, y), sorted by x."""


@dataclass(frozen=True)
class Axis:
    """Map from values to pixels."""

    low: float
    high: float
    start: float
    """Pixel of `low`."""
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Returns the pixel of a value."""
        low, high, here = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return round(self.start + (self.end - self.start) * (here - low) / (high - low), 1)

    def ticks(self) -> list[float]:
        """Returns at most seven round values within the axis."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            ticks = [m * 10.0**decade for decade in decades for m in (1, 2, 5)]
        else:
            step = _step((self.high - self.low) / 5)
            ticks = [step * i for i in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        within = [tick for tick in ticks if self.low <= tick <= self.high]
        return within[:: math.ceil(len(within) / 7) or 1]


def lines(curves: Sequence[Line], *, title: str, x: str, y: str) -> Html:
    """Returns a line plot; y is logarithmic if the values span more than a factor of 20.

    Args:
        curves: the curves, at least one with points.
        title: caption of the plot.
        x: label of the horizontal axis.
        y: label of the vertical axis.
    """
    curves = [Line(curve.name, _thinned(curve.points)) for curve in curves if curve.points]
    xs, ys = zip(*(point for curve in curves for point in curve.points))
    across = Axis(0, max(*xs, 1), LEFT, RIGHT)
    up = _rising(min(ys), max(ys))
    paths = [_path(curve, across, up, f"line line{i}") for i, curve in enumerate(curves)]
    legend = [
        tag("span", tag("i", class_=f"swatch line{i}"), f"{curve.name} {number(curve.points[-1][1])}")
        for i, curve in enumerate(curves)
    ]
    return _figure(title, join(_frame(across, up, x, y), *paths), tag("p", *legend, class_="legend"))


def bars(heights: Sequence[float], *, title: str, note: str, x: str, y: str) -> Html:
    """Returns a bar chart without gaps, with a dashed line at the mean.

    Args:
        heights: heights of the bars; more than MAX_POINTS are averaged in groups.
        title: caption of the plot.
        note: text below the plot.
        x: label of the horizontal axis.
        y: label of the vertical axis.
    """
    across = Axis(0, len(heights), LEFT, RIGHT)
    up = Axis(0, max(*heights, 1), BOTTOM, TOP)
    mean = up.at(sum(heights) / len(heights))
    size = math.ceil(len(heights) / MAX_POINTS)
    groups = [heights[i : i + size] for i in range(0, len(heights), size)]
    tops = [
        f"V{up.at(sum(group) / len(group))}H{across.at(min(len(heights), (i + 1) * size))}"
        for i, group in enumerate(groups)
    ]
    area = tag("path", d=f"M{LEFT},{BOTTOM}{''.join(tops)}V{BOTTOM}Z", class_="bars")
    line = tag("path", d=f"M{LEFT},{mean}H{RIGHT}", class_="mean")
    return _figure(title, join(_frame(across, up, x, y), area, line), tag("p", note, class_="legend"))


def _figure(title: str, drawing: Html, below: Html) -> Html:
    picture = tag("svg", drawing, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title)
    return tag("figure", tag("figcaption", title), picture, below, class_="plot")


def _frame(across: Axis, up: Axis, x: str, y: str) -> Html:
    """Returns grid lines, ticks and axis labels."""
    rows = [
        join(
            tag("path", d=f"M{LEFT},{up.at(tick)}H{RIGHT}", class_="grid"),
            tag("text", _short(tick), x=LEFT - 5, y=up.at(tick) + 3, text_anchor="end"),
        )
        for tick in up.ticks()
    ]
    columns = [
        tag("text", _short(tick), x=across.at(tick), y=BOTTOM + 13, text_anchor="middle")
        for tick in across.ticks()
    ]
    names = join(
        tag("text", x, x=RIGHT, y=HEIGHT - 1, text_anchor="end"),
        tag("text", y, x=0, y=10),
    )
    return join(*rows, *columns, names)


def _path(curve: Line, across: Axis, up: Axis, style: str) -> Html:
    places = [f"{across.at(x)},{up.at(y)}" for x, y in curve.points]
    return tag("path", d=f"M{'L'.join(places)}{'h0' * (len(places) == 1)}", class_=style)


def _rising(low: float, high: float) -> Axis:
    """Returns the vertical axis for values from low to high."""
    if low > 0 and high > 20 * low:
        return Axis(low, high, BOTTOM, TOP, log=True)
    margin = 0.06 * (high - low) or abs(high) / 10 or 1
    return Axis(low - margin if low else 0, high + margin, BOTTOM, TOP)


def _step(least: float) -> float:
    """Returns the smallest of 1, 2, 5, 10 times a power of ten that is at least `least`."""
    decade = 10.0 ** math.floor(math.log10(least))
    return next(m * decade for m in (1, 2, 5, 10) if m * decade >= least * (1 - 1e-9))


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Returns at most MAX_POINTS points: means of neighbours, at the last one's x."""
    size = math.ceil(len(points) / MAX_POINTS)
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return [(group[-1][0], sum(y for _, y in group) / len(group)) for group in groups]


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 1000 else f"{value:.4g}"
