"""Messages are readable and bounded, whatever is wrong with a value."""

import io
import math

import numpy as np
import pytest

from modaloom.core.errors import (
    MAX_SHOWN,
    BadValue,
    PartlyFailed,
    bounded,
    check_choice,
    check_count,
    check_names,
    check_range,
    shown,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None"),
        (math.nan, "float nan"),
        (3, "int 3"),
        ("x" * 200, "str '" + "x" * (MAX_SHOWN - 1) + "…"),
        (io.BytesIO(b"x"), "BytesIO"),
        (np.zeros((1000, 1000)), "ndarray"),
        ([0] * 5000, "list"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_shown_by_type_and_shortly(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_lists_are_bounded() -> None:
    assert bounded("abc") == "a, b, c"
    assert bounded(range(5)) == "0, 1, 2, 3, 4"
    assert bounded(range(5000)) == "0, 1, 2, 3, 4 and 4,995 more"
    lines = str(PartlyFailed([f"{i}.png: is empty" for i in range(5000)], "3 files are in out")).splitlines()
    assert lines[0] == "5,000 failed; 3 files are in out"
    assert lines[1:] == [*(f"  {i}.png: is empty" for i in range(5)), "  and 4,995 more"]


def test_one_name_is_several_of_one() -> None:
    assert check_names("want", "image") == ("image",)
    assert check_names("want", ["image", "text"]) == ("image", "text")
    for wrong, named in ((3, "want is int 3"), ([None], "want holds None"), (None, "want is None")):
        with pytest.raises(BadValue, match=named):
            check_names("want", wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("4", "n is str '4'; it must be a whole number"),
        (2.5, "n is float 2.5"),
        (None, "n is None"),
        (0, "n is 0"),
    ],
)
def test_counts_are_whole_numbers(wrong: object, named: str) -> None:
    check_count("n", np.int64(3), 1)
    with pytest.raises(BadValue, match=named):
        check_count("n", wrong, 1)  # type: ignore[arg-type]


def test_what_is_no_number_or_name_is_said() -> None:
    with pytest.raises(BadValue, match="steps is str 'many'; it must be a number"):
        check_range("steps", "many", 1)  # type: ignore[arg-type]
    with pytest.raises(BadValue, match="sampler is None; allowed: a, b"):
        check_choice("sampler", None, ["a", "b"])  # type: ignore[arg-type]
    with pytest.raises(BadValue) as caught:
        check_choice("stream", "x" * 5000, ["a"])
    assert len(str(caught.value)) < MAX_SHOWN + 60
