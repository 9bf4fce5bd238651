"""Bits per character. Oracles: a joint distribution in a table, all orders of all texts, and arithmetic."""

from itertools import permutations
from math import log, log2
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from exact_loom import VALUES, Exact, some_loom

from modaloom.core.types import Sample
from modaloom.evaluation import Direction
from modaloom.evaluation.unigram import NUM_CHARACTERS, unigram_bits
from modaloom.loom import conditionals
from modaloom.loom.conditionals import log_likelihoods
from modaloom.loom.evaluation.encoded import Encoded
from modaloom.loom.evaluation.rate import METRIC, Rate
from modaloom.loom.loom import Loom

TEXTS = ["".join("xy"[code] for code in one) for one in VALUES[..., 0].tolist()]
"""All texts of the stream b."""


def rate(loom: Loom, given: tuple[str, ...], a: int, points: int = 4096) -> Rate:
    """Of all texts, whose a is the same."""
    model: Any = SimpleNamespace(
        loom=loom,
        encode=lambda name, values: torch.tensor(
            [[["xy".index(letter)] for letter in value] if name == "b" else [[value]] for value in values]
        ),
    )
    samples = [Sample(text, {"a": a, "b": text}) for text in TEXTS]
    ask = Direction(given, ("b",))
    return Rate.of(Encoded(model), ask, samples, texts=TEXTS, train=["xxy"], seed=0, points=points)


@pytest.mark.parametrize(("given", "a"), [((), 0), (("a",), 2)])
def test_exact_conditionals_have_the_bits_of_the_distribution(given: tuple[str, ...], a: int) -> None:
    loom = Exact()
    found = rate(loom, given, a)
    share = loom.of(a=a) if given else torch.ones(())
    p = [loom.of(**({"a": a} if given else {}), b=one) / share for one in VALUES[..., 0].tolist()]
    expected = -sum(float(one.log2()) for one in p) / sum(map(len, TEXTS))
    assert found.estimates()[METRIC].value == pytest.approx(expected, rel=0.03)


def test_of_other_conditionals_it_is_the_mean_over_orders_an_upper_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Jensen's inequality, over all orders of every text."""
    loom = some_loom()
    exact = -log_likelihoods(loom, {}, "b", VALUES, orders=6, seed=0) / log(2)
    each = []
    for order in permutations(range(3)):
        monkeypatch.setattr(conditionals, "_ranks", lambda *_, order=order: torch.tensor([order]))
        each.append(-log_likelihoods(loom, {}, "b", VALUES, orders=1, seed=0) / log(2))
    bound = torch.stack(each).mean(0)
    assert (bound >= exact).all()
    assert (bound - exact).max() > 0.01
    assert float(rate(loom, (), 0).bits.mean()) == pytest.approx(float(bound.mean()), rel=0.03)


def test_frequencies_of_characters_are_a_distribution_over_texts() -> None:
    train = ["xxy", "x"]  # x 3, y 1, end 2, any other
    expected = [4 / 10, 2 / 10, 3 / 10, 1 / 10]
    x, y, end, other = (-log2(p) for p in expected)
    found = unigram_bits(train, ["", "xy", "z"])
    assert found.tolist() == pytest.approx([end, x + y + end, other + log2(NUM_CHARACTERS) + end])
    assert sum(expected) == pytest.approx(1)


def test_texts_without_characters_have_no_rate() -> None:
    nothing = Rate(torch.ones(2), torch.zeros(2), torch.ones(2))
    assert nothing.estimates() == {}
