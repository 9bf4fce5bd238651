"""Numbers by axis: time apart from rows and columns, where a signal has all three."""

import pytest

from modaloom.core.axes import by_axis


@pytest.mark.parametrize(("axes", "numbers"), [(1, (7,)), (2, (7, 7)), (3, (5, 7, 7))])
def test_time_has_a_number_of_its_own_beside_rows_and_columns(axes: int, numbers: tuple[int, ...]) -> None:
    assert by_axis(axes, 7, 5) == numbers
