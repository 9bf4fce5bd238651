"""Ranks and saved bits of a model whose bits are known beforehand."""

from types import SimpleNamespace

import pytest
import torch

from modaloom.core.types import Sample
from modaloom.evaluation import Direction
from modaloom.loom.evaluation.encoded import Encoded
from modaloom.loom.evaluation.pairing import Pairing

ASK = Direction(("x",), ("y",))
LN2 = 0.6931471805599453


def pairing(givens, bits, wanted=None):
    """Of samples whose values are `wanted`, or their own number; `bits(want, given)` of the model."""
    wanted = range(len(givens)) if wanted is None else wanted
    samples = [Sample(str(i), {"x": given, "y": want}) for i, (given, want) in enumerate(zip(givens, wanted))]
    noises = []

    def nelbo(codes, wanted, given, *, generator, points):
        noises.append(generator.get_state())
        pairs = zip(codes["y"][:, 0, 0].tolist(), codes["x"][:, 0, 0].tolist())
        return {"y": torch.tensor([LN2 * bits(want, given) for want, given in pairs])}

    def encode(name, values):
        return torch.tensor(values).reshape(-1, 1, 1)

    model = SimpleNamespace(encode=encode, loom=SimpleNamespace(nelbo=nelbo))
    found = Pairing.of(Encoded(model), ASK, samples, seed=0)
    assert len(noises) == len(samples)
    assert all(torch.equal(noise, noises[0]) for noise in noises)
    return found


def values(found):
    return {metric: estimate.value for metric, estimate in found.estimates().items()}


def test_a_model_that_knows_its_pairs():
    found = pairing(range(4), lambda want, given: 2.0 if want == given else 5.0)
    assert values(found) == pytest.approx({"rank.top1": 1, "rank.mrr": 1, "pmi_bits": 3, "bits": 2}, abs=1e-6)
    floor = {"rank.top1": 0.25, "rank.mrr": (1 + 1 / 2 + 1 / 3 + 1 / 4) / 4, "pmi_bits": 0, "bits": 5}
    assert found.floor() == pytest.approx(floor, abs=1e-6)
    assert found.ceiling() == {"rank.top1": 1, "rank.mrr": 1}


def test_the_wrong_way_round_is_last():
    found = pairing(range(4), lambda want, given: 9.0 if want == given else 5.0)
    assert values(found)["rank.mrr"] == pytest.approx(1 / 4)
    assert values(found)["rank.top1"] == 0
    assert values(found)["pmi_bits"] == pytest.approx(-4)


def test_ranks_of_a_fixed_table():
    """Bits |want − given| + given: the own givens of value w stand behind the givens below it."""
    found = pairing(range(4), lambda want, given: abs(want - given) + 1.5 * given)
    assert values(found)["rank.mrr"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert values(found)["rank.top1"] == 0.25


def test_equal_givens_share_their_ranks():
    """Two pairs of equals: a perfect model names one of two, and no model could do better."""
    found = pairing([7, 7, 8, 8], lambda want, given: 1.0 if want // 2 == given - 7 else 4.0)
    expected = {"rank.top1": 0.5, "rank.mrr": (1 + 1 / 2) / 2}
    assert found.ceiling() == pytest.approx(expected)
    assert values(found) == pytest.approx({**expected, "pmi_bits": 3, "bits": 1}, abs=1e-6)


@pytest.mark.parametrize("rounding", [0.0, 1e-6])
def test_a_model_that_ignores_what_is_given_is_right_once_in_m(rounding):
    found = pairing(range(6), lambda want, given: 3.0 + rounding * given)
    expected = {"rank.top1": 1 / 6, "rank.mrr": (1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5 + 1 / 6) / 6}
    assert values(found) == pytest.approx({**expected, "pmi_bits": 0, "bits": 3}, abs=1e-4)
    assert {name: found.floor()[name] for name in expected} == pytest.approx(expected)


def test_some_tie_and_some_are_better():
    """Own givens of 5 bits: one rival is better, two tie, so the rank is 2, 3 or 4."""
    table = {0: 5.0, 1: 4.0, 2: 5.0, 3: 5.0, 4: 9.0}
    found = pairing(range(5), lambda want, given: table[(given - want) % 5])
    assert values(found)["rank.top1"] == 0
    assert values(found)["rank.mrr"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)


def test_givens_of_an_equal_value_are_as_right():
    """Two labels, three pictures each: a model that knows the label cannot tell whose picture it is."""
    wanted = [0, 0, 0, 1, 1, 1]
    found = pairing(range(6), lambda want, given: 0.1 * given if want == given // 3 else 7.0, wanted)
    expected = {"rank.top1": 1 / 3, "rank.mrr": (1 + 1 / 2 + 1 / 3) / 3}
    assert found.ceiling() == pytest.approx(expected)
    shares = found.estimates()["rank.top1"].values  # of each, since their mean would be 1/3 in any order
    assert shares.tolist() == pytest.approx([1 / 3] * 6)


def test_a_codebook_of_one_entry_has_no_figure_that_is_no_number():
    found = pairing([7] * 4, lambda want, given: 1.0, wanted=[3] * 4)
    assert found.ceiling()["rank.top1"] == values(found)["rank.top1"] == found.floor()["rank.top1"] == 0.25
    assert "bits" not in found.floor()


def test_givens_that_are_all_equal_save_nothing_that_could_be_told():
    estimates = pairing([7, 7, 7], lambda want, given: 1.0).estimates()
    assert estimates["pmi_bits"].n == 0
    assert estimates["rank.top1"].value == pytest.approx(1 / 3)
