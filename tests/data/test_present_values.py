"""The values of several caches as one sequence, beside a list of all of them."""

from pathlib import Path

import numpy as np
import pytest

from modaloom.data.cache import CachedArray, open_cache
from modaloom.data.present_values import PresentValues

RANDOM = np.random.default_rng(0)
PRESENT = (np.array([1, 0, 1, 1, 0, 1], bool), np.array([0, 0, 1, 0, 1, 1], bool))


@pytest.fixture
def caches(tmp_path: Path) -> list[CachedArray]:
    return [
        open_cache(tmp_path, f"{i}", "0" * 16, 6, lambda i=i, here=here: (
            np.full((2, 3), 10 * i + row, np.uint8) if there else None for row, there in enumerate(here)
        ))
        for i, here in enumerate(PRESENT)
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4, 5], [5, 2, 1], [1, 3]])
def test_it_is_the_list_of_the_values_that_are_present(caches: list[CachedArray], rows: list[int]) -> None:
    expected = [cache.array[row] for cache in caches for row in rows if cache.present[row]]
    values = PresentValues.of(caches, np.array(rows))
    assert len(values) == len(expected)
    for places in (np.arange(len(expected)), RANDOM.permutation(len(expected)), np.array([0, 0])):
        assert np.array_equal(values[places], [expected[place] for place in places])
    for part in (slice(2), slice(1, None), slice(99)):
        assert np.array_equal(values[part], expected[part])


def test_nothing_present_is_empty(caches: list[CachedArray]) -> None:
    values = PresentValues.of(caches, np.array([1, 1])[:0])
    assert not values
    assert values[:3] == []


def test_values_are_mapped_and_not_read(caches: list[CachedArray]) -> None:
    first, *_ = PresentValues.of(caches, np.arange(6))[:1]
    assert isinstance(first, np.memmap)
    assert not first.flags.writeable
