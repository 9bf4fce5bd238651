import re

import pytest

from modaloom.report.plots import BOTTOM, LEFT, RIGHT, TOP, Axis, Line, bars, lines


@pytest.mark.parametrize(
    ("axis", "ticks"),
    [
        (Axis(0, 10, 0, 100), [0, 2, 4, 6, 8, 10]),
        (Axis(0.1, 0.42, 0, 1), pytest.approx([0.1, 0.2, 0.3, 0.4])),
        (Axis(0.01, 1, 0, 1, log=True), pytest.approx([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])),
    ],
)
def test_ticks_are_round_and_within(axis: Axis, ticks: list[float]) -> None:
    assert axis.ticks() == ticks


def test_an_axis_places_values() -> None:
    assert Axis(2, 4, 100, 0).at(3.5) == 25
    assert Axis(0.01, 1, 0, 100, log=True).at(0.1) == 50


def test_a_line_runs_through_its_points_inside_the_frame() -> None:
    svg = lines([Line("a", [(0, 1.0), (50, 3.0), (100, 2.0)])], title="t", x="step", y="bits")
    path = re.search(r'd="M([^"]*)" class="line line0"', svg)
    assert path
    places = [tuple(map(float, place.split(","))) for place in path[1].split("L")]
    assert [x for x, _ in places] == [LEFT, (LEFT + RIGHT) / 2, RIGHT]
    (_, worst), (_, best), (_, last) = places
    assert BOTTOM > worst > last > best > TOP
    assert last == pytest.approx((worst + best) / 2, abs=0.1)
    assert "a 2<" in svg


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-9, 5.0])
def test_a_single_point_and_a_flat_line_are_drawn(value: float) -> None:
    for points in ([(0, value)], [(1, value), (2, value)]):
        assert "nan" not in lines([Line("a", points), Line("empty", [])], title="t", x="", y="")


def test_bars_are_as_high_as_their_values() -> None:
    svg = bars([4, 2, 0, 0], title="t", note="n", x="", y="")
    heights = [float(y) for y in re.findall(r"V([\d.]+)H", svg)]
    assert heights == [TOP, (TOP + BOTTOM) / 2, BOTTOM, BOTTOM]
    assert f"M{LEFT},{BOTTOM - (BOTTOM - TOP) * 1.5 / 4}H" in svg


def test_unused_codes_alone_are_drawn() -> None:
    assert "nan" not in bars([0], title="t", note="n", x="", y="")
