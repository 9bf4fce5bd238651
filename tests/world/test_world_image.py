"""The picture: geometry against exact areas and outlines."""

import numpy as np
import pytest

from modaloom.world.image import coverage, image
from modaloom.world.record import record
from modaloom.world.scene import FACTORS, Scene
from modaloom.world.shapes import OUTLINES, PALETTE, Placed, place

GREY = np.zeros(3)


def luminance(rgb):
    v = np.asarray(rgb) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("shape", OUTLINES)
@pytest.mark.parametrize("radius", [7.0, 10.0])
def test_the_coverage_sums_to_the_area(shape, radius):
    placed = Placed(OUTLINES[shape], radius, 16.2, 16.4, GREY)
    assert coverage(placed).sum() == pytest.approx(placed.area, rel=0.03)


def test_area_and_perimeter_are_the_textbook_ones():
    circle, square, triangle, _ = (Placed(outline, 2.0, 0, 0, GREY) for outline in OUTLINES.values())
    assert circle.area == pytest.approx(np.pi * 4, rel=2e-3)
    assert circle.perimeter == pytest.approx(np.pi * 4, rel=2e-3)
    assert (square.area, square.perimeter) == pytest.approx((8.0, 8 * 2**0.5))
    assert (triangle.area, triangle.perimeter) == pytest.approx((3 * 3**0.5, 6 * 3**0.5))


@pytest.mark.parametrize("shape", OUTLINES)
def test_the_middle_of_the_bounding_box_is_at_the_position(shape):
    for nuisance in range(20):
        placed = place(Scene(shape, "red", "small", "middle right", "dark", "size", nuisance))
        rows, columns = np.nonzero(coverage(placed) > 0.5)
        assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(22, abs=1.3)
        assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(16, abs=1.3)


@pytest.mark.parametrize("shape", OUTLINES)
def test_nothing_is_badly_cut_off(shape):
    for position in FACTORS["position"]:
        for nuisance in range(10):
            placed = place(Scene(shape, "red", "large", position, "dark", "size", nuisance))
            assert coverage(placed).sum() > 0.97 * placed.area


def test_grey_tells_no_colour_within_a_group():
    light = {name: float(luminance(rgb)) for name, rgb in PALETTE.items()}
    for group in (("red", "blue", "purple"), ("orange", "yellow", "green")):
        levels = [light[name] for name in group]
        assert max(levels) / min(levels) < 1.15


def test_the_same_scene_gives_the_same_picture_and_another_nuisance_another():
    one, other = (Scene("star", "blue", "large", "top left", "light", "size", n) for n in (1, 2))
    assert image(one).tobytes() == image(one).tobytes() != image(other).tobytes()


def test_image_and_record_measure_the_same_object():
    for nuisance in range(20):
        scene = Scene("star", "green", "large", "middle centre", "dark", "size", nuisance)
        row, grid = record(scene), np.arange(32) + 0.5
        shown = coverage(place(scene))
        assert row["area"] == pytest.approx(shown.sum(), rel=0.1)
        assert row["x"] == pytest.approx((shown @ grid).sum() / shown.sum(), abs=1.5)
        assert row["y"] == pytest.approx((shown.T @ grid).sum() / shown.sum(), abs=1.5)


@pytest.mark.parametrize("shape", OUTLINES)
def test_a_finer_grid_shows_the_same_outline_with_a_sharper_edge(shape):
    placed = Placed(OUTLINES[shape], 8.0, 16.2, 16.4, GREY)
    coarse, fine = coverage(placed), coverage(placed, 128)
    assert fine.sum() / 16 == pytest.approx(placed.area, rel=0.01)
    pooled = fine.reshape(32, 4, 32, 4).mean((1, 3))
    assert np.abs(pooled - coarse).max() < 0.2
    assert ((fine > 0) & (fine < 1)).sum() < 6 * ((coarse > 0) & (coarse < 1)).sum()
