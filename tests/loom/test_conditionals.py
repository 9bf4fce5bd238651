"""Conditionals of codes and of whole values. Oracles: a joint distribution in a table, and that all values
together have the probability 1."""

from itertools import product

import pytest
import torch
from exact_loom import SHAPES, SMALL, VALUES, Exact, some_loom

from modaloom.core.types import CodeShape
from modaloom.loom.conditionals import NUM_DRAWS, log_likelihoods, marginals
from modaloom.loom.config import LoomConfig
from modaloom.loom.loom import Loom


def test_each_code_has_its_own_conditional() -> None:
    loom, given = Exact(), torch.arange(3).view(3, 1, 1)
    found = marginals(loom, {"a": given}, "b", 3, seed=0)
    for a, place, code in product(range(3), range(3), range(2)):
        own = [code if i == place else -1 for i in range(3)]
        torch.testing.assert_close(found[a, place, 0, code], loom.of(a=a, b=own) / loom.of(a=a))
    alone = marginals(loom, {}, "a", 1, seed=0)[0, 0, 0]
    torch.testing.assert_close(alone, torch.stack([loom.of(a=a) for a in range(3)]))


def test_positions_that_are_known_are_given() -> None:
    loom, codes = Exact(), torch.tensor([[[0], [1], [1]], [[1], [0], [0]]])
    known = torch.tensor([[True, False, True], [False, False, True]])
    found = marginals(loom, {"b": codes}, "b", 2, seed=0, known=known)
    torch.testing.assert_close(found[0, 1, 0, 1], loom.of(b=[0, 1, 1]) / loom.of(b=[0, -1, 1]))
    torch.testing.assert_close(found[1, 0, 0, 0], loom.of(b=[0, -1, 0]) / loom.of(b=[-1, -1, 0]))


@pytest.mark.parametrize("orders", [1, 2, 6])
def test_values_have_their_probability_in_any_order(orders: int) -> None:
    loom = Exact()
    found = log_likelihoods(loom, {"a": torch.full((1, 1, 1), 2)}, "b", VALUES, orders=orders, seed=3)
    expected = torch.stack([loom.of(a=2, b=one.flatten().tolist()) for one in VALUES]) / loom.of(a=2)
    torch.testing.assert_close(found.exp(), expected)


@pytest.mark.parametrize("orders", [1, 4, 6])
def test_all_values_together_are_certain(orders: int) -> None:
    """Whatever the conditionals, and not so if each value had an order of its own."""
    loom, given = some_loom(), {"a": torch.ones(1, 1, 1, dtype=torch.int64)}
    found = log_likelihoods(loom, given, "b", VALUES, orders=orders, seed=0)
    assert float(found.exp().sum()) == pytest.approx(1, abs=1e-5)
    assert float(found.exp().std()) > 0.01
    other = log_likelihoods(loom, {}, "b", VALUES, orders=orders, seed=0)
    assert not torch.allclose(found, other, atol=0.01)


def test_values_of_all_lengths_together_are_certain() -> None:
    shape = CodeShape((3,), 1, 2, variable=True)
    words = [row for length in range(4) for row in product(range(2), repeat=length)]
    values = [[*word, *[shape.padding] * (3 - len(word))] for word in words]
    loom = some_loom({"a": SHAPES["a"], "b": shape})
    codes = torch.tensor(values)[..., None]
    found = log_likelihoods(
        loom, {"a": torch.zeros(1, 1, 1, dtype=torch.int64)}, "b", codes, orders=6, seed=0
    )
    assert len(found) == 15
    assert float(found.exp().sum()) == pytest.approx(1, abs=1e-5)


def test_noise_at_the_start_is_averaged_over() -> None:
    class Echo(Loom):
        """Sure of whatever noise it sees."""

        def forward(self, canvas, augmented=None):
            return {"b": 99.0 * torch.nn.functional.one_hot(canvas["b"].state, 2)}

    loom = Echo(SHAPES, {name: name for name in SHAPES}, {}, LoomConfig(process="uniform", **SMALL))
    found = marginals(loom, {}, "b", 40, seed=0)
    torch.testing.assert_close(found.sum(-1), torch.ones(40, 3, 1, dtype=torch.float64))
    assert float((found - 0.5).abs().mean()) < 0.2
    torch.testing.assert_close(found * NUM_DRAWS, (found * NUM_DRAWS).round(), atol=1e-6, rtol=0)
