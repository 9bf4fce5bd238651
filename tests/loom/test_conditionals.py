"""Conditionals of codes and of whole values. Oracles: a joint distribution in a table, and that all values
together have the probability 1."""

from collections.abc import Mapping
from itertools import product

import pytest
import torch
from torch import Tensor

from modaloom.core.types import MASK, CodeShape
from modaloom.loom.conditionals import NUM_DRAWS, log_likelihoods, marginals
from modaloom.loom.config import LoomConfig
from modaloom.loom.loom import Loom

SHAPES = {"a": CodeShape((1,), 1, 3), "b": CodeShape((3,), 1, 2)}
PLACES = {"a": [0], "b": [1, 2, 3]}
OUTCOMES = torch.tensor([*product(range(3), range(2), range(2), range(2))])
VALUES = torch.tensor([*product(range(2), repeat=3)])[..., None]
SMALL = {"width": 8, "num_layers": 1, "num_heads": 1}


def some_loom(shapes: Mapping[str, CodeShape] = SHAPES, process: str = "masked") -> Loom:
    """A network with random weights: its conditionals fit no joint distribution."""
    loom = Loom(shapes, {name: name for name in shapes}, {}, LoomConfig(process=process, **SMALL))
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in loom.parameters():
            weights.normal_(0, 0.7, generator=random)
    return loom.eval()


class Exact(Loom):
    """The exact conditionals of a random table over all outcomes."""

    def __init__(self) -> None:
        super().__init__(SHAPES, {name: name for name in SHAPES}, {}, LoomConfig(**SMALL))
        self.p = torch.rand(len(OUTCOMES), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        self.p /= self.p.sum()

    def forward(self, canvas, augmented=None):
        weights = self.p
        for name, f in canvas.items():
            state, own = f.state[:, None, :, 0], OUTCOMES[:, PLACES[name]]
            weights = weights * ((state == own) | (state == MASK)).all(-1)
        found = {}
        for name in canvas:
            codes = torch.arange(SHAPES[name].codebook_size)
            shown = (OUTCOMES[:, PLACES[name], None] == codes).double()
            rows = weights.expand(len(canvas[name].t), -1)
            found[name] = torch.einsum("bo,olk->blk", rows, shown).log()[:, :, None]
        return found

    def of(self, **codes: int | list[int]) -> Tensor:
        """p(codes at their places; -1 is any), summed over all else."""
        fits = torch.ones(len(OUTCOMES), dtype=torch.bool)
        for name, own in codes.items():
            state = torch.tensor(own).reshape(-1)
            fits &= ((OUTCOMES[:, PLACES[name]] == state) | (state == -1)).all(1)
        return self.p[fits].sum()


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
