"""Windows of an array in pieces, against slices of the whole."""

from itertools import pairwise

import numpy as np
import pytest

from modaloom.core.windows import windows


def pieces(array: np.ndarray, size: int, axis: int) -> list[np.ndarray]:
    """At first empty, then of `size`."""
    n = array.shape[axis]
    ends = [0, 0, *range(size, n, size), n]
    return [np.take(array, range(a, b), axis) for a, b in pairwise(ends)]


@pytest.mark.parametrize("n", [1, 7, 8, 9, 24, 61])
@pytest.mark.parametrize("halo", [0, 1, 3, 20])
def test_windows_are_slices_however_the_array_comes(n: int, halo: int) -> None:
    """Oracle: slices of the whole. Each part is in one window, at the same place whatever the pieces are."""
    whole = np.random.default_rng(0).integers(0, 100, (2, n, 3))
    for size in (1, 5, 8, 1000):
        found = [*windows(pieces(whole, size, 1), 8, halo, axis=1)]
        assert len(found) == -(-n // 8)
        for i, window in enumerate(found):
            start = max(0, 8 * i - halo)
            assert (window.before, window.own) == (8 * i - start, min(8, n - 8 * i))
            assert np.array_equal(window.array, whole[:, start : 8 * i + 8 + halo])


def test_of_nothing_there_is_no_window() -> None:
    assert not [*windows([], 8, 2)]
    assert not [*windows([np.zeros((2, 0))] * 3, 8, 2)]


def test_no_more_is_read_than_a_window_needs() -> None:
    """So that memory does not grow with the array."""
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield np.zeros(4)

    for i, window in zip(range(50), windows(endless(), 8, 2)):
        assert len(taken) <= 2 * (i + 1) + 1
        assert window.array.size <= 12
