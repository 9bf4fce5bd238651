"""The ranking of pairs, for a model whose pointwise information is known."""

import math
from types import SimpleNamespace

import pytest
import torch

from modaloom.core.types import Sample
from modaloom.loom.evaluation.suspects import STD_PER_MAD, spread, suspects, telling, unusual

N, CODES = 60, 4


class Table:
    """A Loom whose bounds depend on whether codes agree: `bits[want, agrees]` with a given stream."""

    def __init__(self, bits):
        self.bits = bits

    def nelbo(self, codes, wanted, given, *, generator, points):
        (want,) = wanted
        if not given:
            return {want: torch.full((len(codes[want]),), 10 * math.log(2))}
        agrees = (codes[want] == codes[given[0]]).flatten(1).all(1)
        # Every sample is a little different, as in life.
        hum = 0.1 * codes[want].flatten(1)[:, 0] + 0.05 * codes[given[0]].flatten(1)[:, 0]
        right, wrong = self.bits[want, given[0]]
        return {want: (torch.where(agrees, right, wrong) + hum) * math.log(2)}


def model(bits, wanted=("a", "b")):
    names = tuple(dict.fromkeys(name for pair in bits for name in pair))
    encode = lambda name, values: torch.tensor(values).view(-1, 1, 1)  # noqa: E731
    return SimpleNamespace(loom=Table(bits), streams=dict.fromkeys(names), wanted=wanted, encode=encode)


def samples(swapped=()):
    return [
        Sample(f"{i:02d}", {"a": i % CODES, "b": (i + (i in swapped)) % CODES, "c": i % CODES})
        for i in range(N)
    ]


def test_swapped_pairs_lead_the_ranking_and_name_their_streams():
    told = dict.fromkeys((("a", "b"), ("b", "a"), ("c", "a"), ("a", "c")), (4.0, 14.0))
    told |= dict.fromkeys((("c", "b"), ("b", "c")), (9.9, 9.9))  # hardly tell anything
    ranked = suspects(model(told, wanted=("a", "b", "c")), samples(swapped=(7, 20, 33)))
    assert {suspect.key for suspect in ranked[:3]} == {"07", "20", "33"}
    assert {suspect.streams for suspect in ranked[:3]} == {("a", "b")}
    assert set(ranked[0].bits) == {"a->b", "b->a"}
    assert all(bits < 0 for bits in ranked[0].bits.values())
    assert ranked[2].score < -20 < ranked[3].score
    assert len(ranked) == N


def test_what_one_direction_alone_finds_odd_is_no_mismatch():
    one_sided = {("b", "a"): (4.0, 14.0), ("a", "b"): (4.0, 4.0)}
    assert suspects(model(one_sided), samples(swapped=(7,)))[0].score > -5
    # Where a stream cannot be wanted, the other direction decides.
    only = suspects(model(one_sided, wanted=("b",)), samples(swapped=(7,)))
    assert (only[0].key, set(only[0].bits)) == ("07", {"a->b"})


def test_streams_that_tell_less_than_their_spread_are_left_out():
    assert suspects(model({("a", "b"): (12.0, 5.0), ("b", "a"): (12.0, 5.0)}), samples()) == []


def test_spreads_are_those_of_a_normal_distribution_and_ignore_a_few():
    values = torch.randn(20_001, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3 + 8
    assert pytest.approx(1 / 0.6745, abs=1e-4) == STD_PER_MAD  # 0.6745: the normal's third quartile
    assert float(spread(values)) == pytest.approx(3, rel=0.03)
    values[:200] = -1000
    assert float(spread(values)) == pytest.approx(3, rel=0.05)
    assert float(unusual(values)[0]) == pytest.approx(-1008 / 3, rel=0.05)
    assert telling(values)
    assert not telling(values - 6)
