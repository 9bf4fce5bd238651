from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from modaloom.report import strip
from modaloom.report.strip import GAP, SIDE


def test_pictures_are_enlarged_in_place_with_words_below(tmp_path: Path) -> None:
    red, blue = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    red.putpixel((7, 7), (0, 255, 0))
    strip([["what was given", red, "three"], [blue, {"age": 3}, red]], tmp_path / "strip.png")
    sheet = _pixels(tmp_path / "strip.png")
    second = GAP + SIDE + GAP
    assert (sheet[GAP : GAP + SIDE - 16, second : second + SIDE] == (255, 0, 0)).all()
    assert (sheet[GAP + SIDE - 16 : GAP + SIDE, second + SIDE - 16 : second + SIDE] == (0, 255, 0)).all()
    below = sheet[GAP + SIDE : GAP + SIDE + 20, second : second + SIDE]
    assert (below < 128).any()
    assert (sheet[:GAP] == 255).all()
    assert (sheet[-GAP:] == 255).all()
    assert (sheet == (0, 0, 255)).all(-1).sum() == SIDE * SIDE


def test_long_words_wrap_and_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    def height(text: str) -> int:
        strip([[text]], tmp_path / "a.png")
        strip([[text]], tmp_path / "b.png")
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
        return len(_pixels(tmp_path / "a.png"))

    assert height("a small red circle above a large blue square") > 2 * height("a circle") - GAP


def test_nothing_is_a_small_white_picture(tmp_path: Path) -> None:
    strip([], tmp_path / "strip.png")
    assert (_pixels(tmp_path / "strip.png") == 255).all()


def _pixels(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture)
