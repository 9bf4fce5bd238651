"""Whether sounds follow the texts beside them."""

import numpy as np
import pytest

from modaloom.data.length_agreement import FEW, about_lengths, rank_correlation


def keyed(values: np.ndarray) -> dict[str, float]:
    return {str(i): float(value) for i, value in enumerate(values)}


@pytest.mark.parametrize("seed", range(3))
def test_the_correlation_is_that_of_scipy(seed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(seed)
    first, second = random.integers(0, 9, (2, 300)).astype(float)
    second += first
    expected = stats.spearmanr(first, second).statistic
    assert rank_correlation([*first], [*second]) == pytest.approx(expected, abs=1e-12)


def test_too_few_and_constant_lengths_say_nothing() -> None:
    few = [*map(float, range(FEW - 1))]
    assert rank_correlation(few, few) == 0
    assert rank_correlation([1.0] * FEW, [*map(float, range(FEW))]) == 0
    assert rank_correlation([*map(float, range(FEW))], [*map(float, range(FEW))]) == pytest.approx(1)


def test_only_a_sound_that_half_follows_is_named() -> None:
    random = np.random.default_rng(0)
    text = random.integers(5, 60, 400).astype(float)
    sounds = {
        "spoken": text + random.normal(0, 5, 400),
        "careless": text + random.normal(0, 25, 400),
        "music": random.normal(0, 1, 400),
    }
    lengths = {"caption": keyed(text), **{name: keyed(values) for name, values in sounds.items()}}
    (sentence,) = about_lengths(lengths, [*sounds])
    assert sentence.startswith(
        "careless follows caption in part only: the rank correlation of their lengths is 0."
    )


def test_a_sound_without_texts() -> None:
    assert [*about_lengths({"music": keyed(np.arange(400.0))}, ["music"])] == []
