"""Levenshtein distance against its recursive definition, and its axioms."""

import time
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modaloom.metrics.edit import edit_distance, error_rate

words = st.text("abc日🙂", max_size=6)


def by_definition(a: str, b: str) -> int:
    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        replaced = distance(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        return min(replaced, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(a), len(b))


@given(words, words)
def test_equals_the_definition(a: str, b: str) -> None:
    assert edit_distance(a, b) == by_definition(a, b) == edit_distance(b, a)


def test_a_known_pair_and_lists() -> None:
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance(["a", "red", "star"], ["a", "blue", "star"]) == 1


@given(st.lists(st.integers(0, 3), max_size=6), st.lists(st.integers(0, 3), max_size=6))
def test_items_other_than_characters(a: list[int], b: list[int]) -> None:
    assert edit_distance(a, b) == by_definition("".join(map(str, a)), "".join(map(str, b)))


def test_long_texts_take_milliseconds() -> None:
    a, b = "abcde" * 2_000, "bcdea" * 2_000
    start = time.perf_counter()
    assert edit_distance(a, b) == 2
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("generated", "truth", "rate"), [("", "", 0), ("x", "", 1), ("", "abcd", 1), ("abxd", "abcd", 0.25)]
)
def test_error_rate(generated: str, truth: str, rate: float) -> None:
    assert error_rate(generated, truth) == rate
