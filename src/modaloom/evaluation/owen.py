"""Which parts of an input a figure depends on: Owen values, and the curves that put them to the test."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import torch
from torch import Tensor

from modaloom.core.errors import BadValue

Game = Callable[[Tensor], Tensor]
"""bool (n, P), which of P parts are shown → float64 (n,)."""
MAX_GROUPS = 8
"""Their subsets are enumerated."""


def owen_values(game: Game, groups: Sequence[int], *, orders: int, generator: torch.Generator) -> Tensor:
    """float64 (P,): the share of each part in game(all) − game(none); the shares sum to it exactly.

    A share is what a part adds when it is shown, averaged over the orders of all parts in which those of a
    group follow one another (Owen 1977), so that the sum of a group is its Shapley value (Shapley 1953). The
    subsets of the other groups are enumerated; within a group, orders are sampled (Castro et al. 2009), each
    with its reverse (Mitchell et al. 2022, arXiv 2104.12199, §4.1), which is exact where parts interact in
    pairs.

    Args:
        game: what depends on the parts.
        groups: the number of parts in each group; the parts of a group follow one another.
        orders: how many orders of a group are sampled, over all subsets; at least two for each.
        generator: of the orders.

    Raises:
        BadValue: more than `MAX_GROUPS` groups.
    """
    if len(groups) > MAX_GROUPS:
        raise BadValue(f"{len(groups)} streams are given; at most {MAX_GROUPS} can be told apart, give fewer")
    values = torch.zeros(sum(groups), dtype=torch.float64)
    places = torch.split(torch.arange(sum(groups)), [*groups])
    for g, own in enumerate(places):
        shown = [*_subsets([*places[:g], *places[g + 1 :]], sum(groups))]
        pairs = 1 if len(own) == 1 else max(1, -(-orders // (2 * len(shown))))
        for before, weight in shown:
            for _ in range(pairs):
                order = own[torch.randperm(len(own), generator=generator)]
                for one in {tuple(order.tolist()), tuple(order.flip(0).tolist())}:
                    share = weight / (pairs * (1 if len(own) == 1 else 2))
                    values[list(one)] += share * game(revealed(before, one)).diff()
    return values


def _subsets(groups: Sequence[Tensor], size: int) -> Iterator[tuple[Tensor, float]]:
    """Every subset of the groups, bool (size,), and the fraction of their orders in which it comes first."""
    n = len(groups)
    for count in range(n + 1):
        for chosen in combinations(groups, count):
            shown = torch.zeros(size, dtype=torch.bool)
            shown[torch.cat([*chosen, torch.zeros(0, dtype=torch.int64)])] = True
            yield shown, 1 / ((n + 1) * math.comb(n, count))


def revealed(before: Tensor, order: Sequence[int]) -> Tensor:
    """bool (len(order) + 1, P): the parts shown `before`, then each of the order in addition."""
    states = before.repeat(len(order) + 1, 1)
    for step, part in enumerate(order, 1):
        states[step:, part] = True
    return states


def insertion(game: Game, order: Sequence[int], size: int) -> Tensor:
    """float64 (P + 1,): the game as the parts are shown in this order, from none to all (Petsiuk et al. 2018,
    arXiv 1806.07421, §4.1)."""
    return game(revealed(torch.zeros(size, dtype=torch.bool), order))


def deletion(game: Game, order: Sequence[int], size: int) -> Tensor:
    """float64 (P + 1,): the game as the parts are hidden in this order, from all to none (ibid.)."""
    return game(~revealed(torch.zeros(size, dtype=torch.bool), order))


def area(curve: Tensor) -> float:
    """The mean height of a curve (P + 1,), by trapezoids."""
    return float(torch.trapezoid(curve) / (len(curve) - 1))
