"""KID against a double sum, its mean over many draws, and the exact MMD of two normal distributions."""

from itertools import permutations, product
from statistics import fmean

import numpy as np
import pytest
from numpy.typing import NDArray

from modaloom.metrics.kid import kid

DRAWS = 3000


def kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float((sum(u * v for u, v in zip(x, y)) / len(x) + 1) ** 3)


def test_it_is_the_double_sum_without_equal_indices() -> None:
    draws = np.random.default_rng(0)
    a, b = draws.normal(size=(3, 2)), draws.normal(size=(4, 2)) + 1
    within = [fmean(kernel(x, y) for x, y in permutations(rows, 2)) for rows in (a, b)]
    assert kid(a, b) == pytest.approx(sum(within) - 2 * fmean(kernel(x, y) for x, y in product(a, b)))


def estimates(n: int, shift: float, scale: float) -> NDArray[np.float64]:
    """KID of n normal numbers and n + 2 others of mean `shift` and deviation `scale`, many times."""
    draws = np.random.default_rng(1)
    return np.array(
        [kid(draws.normal(size=(n, 1)), draws.normal(shift, scale, (n + 2, 1))) for _ in range(DRAWS)]
    )


def moments(mean: float, deviation: float) -> list[float]:
    """E x, E x², E x³ of a normal distribution."""
    return [mean, mean**2 + deviation**2, mean**3 + 3 * mean * deviation**2]


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.5, 1.0), (0.0, 1.5), (-0.4, 0.6)])
@pytest.mark.parametrize("n", [3, 20])
def test_its_mean_is_the_exact_mmd_at_any_number_of_rows(n: int, shift: float, scale: float) -> None:
    """(xy + 1)³ = x³y³ + 3x²y² + 3xy + 1, so MMD² = 3 Δ₁² + 3 Δ₂² + Δ₃² of the moments' differences."""
    first, second, third = np.subtract(moments(0, 1), moments(shift, scale)) ** 2
    found = estimates(n, shift, scale)
    error = found.std() / DRAWS**0.5
    assert found.mean() == pytest.approx(3 * first + 3 * second + third, abs=4 * error)


def test_it_refuses_what_it_cannot_compare() -> None:
    for a, b in (((1, 2), (5, 2)), ((5, 2), (5, 3)), ((5,), (5,))):
        with pytest.raises(ValueError, match="n of at least 2"):
            kid(np.zeros(a), np.zeros(b))
