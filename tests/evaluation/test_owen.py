"""Owen values beside the mean over all orders, enumerated, and curves of games whose areas are known."""

from itertools import permutations

import pytest
import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.evaluation.owen import MAX_GROUPS, area, deletion, insertion, owen_values

GROUPS = (3, 2)
P = sum(GROUPS)
WEIGHTS = torch.randn(P, P, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
TABLE = torch.randn(2**P, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def pairs(shown: Tensor) -> Tensor:
    """Parts that count by themselves and in pairs."""
    x = shown.double()
    return ((x @ WEIGHTS) * x).sum(1)


def any_game(shown: Tensor) -> Tensor:
    """Every subset has a value of its own."""
    return TABLE[(shown.long() * 2 ** torch.arange(P)).sum(1)]


def enumerated(game) -> Tensor:
    """The mean contribution over all orders in which the parts of a group follow one another."""
    total, count = torch.zeros(P, dtype=torch.float64), 0
    for first in permutations(range(3)):
        for second in permutations(range(3, 5)):
            for order in ((*first, *second), (*second, *first)):
                shown = torch.zeros(1, P, dtype=torch.bool)
                for part in order:
                    before = game(shown)
                    shown[0, part] = True
                    total[part] += (game(shown) - before)[0]
                count += 1
    return total / count


def values(game, orders, seed=0):
    return owen_values(game, GROUPS, orders=orders, generator=generator(seed))


def test_parts_that_interact_in_pairs_are_exact_with_any_number_of_orders():
    for seed in range(3):
        torch.testing.assert_close(values(pairs, 1, seed), enumerated(pairs))


def test_any_game_converges_and_always_sums_to_all_minus_nothing():
    ends = any_game(torch.tensor([[False] * P, [True] * P]))
    assert float(values(any_game, 1).sum()) == pytest.approx(float(ends[1] - ends[0]))
    torch.testing.assert_close(values(any_game, 2000), enumerated(any_game), atol=0.03, rtol=0)


def test_groups_of_one_are_shapley_values():
    """Three gloves, two of them left: the right one is worth 2/3 (Shapley 1953)."""

    def gloves(shown: Tensor) -> Tensor:
        return (shown[:, :2].any(1) & shown[:, 2]).double()

    found = owen_values(gloves, (1, 1, 1), orders=1, generator=generator(0))
    assert found.tolist() == pytest.approx([1 / 6, 1 / 6, 2 / 3])


def test_too_many_groups_are_refused():
    with pytest.raises(BadValue, match=f"at most {MAX_GROUPS}"):
        owen_values(pairs, [1] * (MAX_GROUPS + 1), orders=1, generator=generator(0))


def test_the_best_order_is_first_deleted_and_first_inserted():
    weights = torch.tensor([3.0, 1.0, 2.0], dtype=torch.float64)

    def game(shown: Tensor) -> Tensor:
        return shown.double() @ weights

    orders = [*permutations(range(3))]
    hidden = {order: deletion(game, order, 3) for order in orders}
    shown = {order: insertion(game, order, 3) for order in orders}
    assert min(orders, key=lambda order: area(hidden[order])) == (0, 2, 1)
    assert max(orders, key=lambda order: area(shown[order])) == (0, 2, 1)
    assert hidden[0, 2, 1].tolist() == [6, 3, 1, 0]
    assert shown[0, 2, 1].tolist() == [0, 3, 5, 6]
    assert area(shown[0, 2, 1]) == pytest.approx((1.5 + 4 + 5.5) / 3)
