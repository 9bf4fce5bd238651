"""Ranks and saved bits of a model whose bits are known beforehand."""

from types import SimpleNamespace

import pytest
import torch

from modaloom.core.types import Sample
from modaloom.evaluation import Direction
from modaloom.loom.evaluation.pairing import Pairing

ASK = Direction(("x",), ("y",))
LN2 = 0.6931471805599453


def pairing(givens, bits):
    """Of samples whose values are their own number; `bits(want, given)` of the model."""
    samples = [Sample(str(i), {"x": given, "y": i}) for i, given in enumerate(givens)]
    noises = []

    def nelbo(codes, wanted, given, *, generator, points):
        noises.append(generator.get_state())
        pairs = zip(codes["y"][:, 0, 0].tolist(), codes["x"][:, 0, 0].tolist())
        return {"y": torch.tensor([LN2 * bits(want, given) for want, given in pairs])}

    def encode(name, values):
        return torch.tensor(values).reshape(-1, 1, 1)

    found = Pairing.of(
        SimpleNamespace(encode=encode, loom=SimpleNamespace(nelbo=nelbo)), ASK, samples, seed=0
    )
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


def test_givens_that_are_all_equal_save_nothing_that_could_be_told():
    estimates = pairing([7, 7, 7], lambda want, given: 1.0).estimates()
    assert estimates["pmi_bits"].n == 0
    assert estimates["rank.top1"].value == pytest.approx(1 / 3)
