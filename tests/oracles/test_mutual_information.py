"""The information map of a small joint with its exact denoiser: bounds are then likelihoods."""

import math
from itertools import permutations
from types import SimpleNamespace

import pytest
import torch

from modaloom.bench.joint import Joint
from modaloom.core.types import CodeShape, Sample
from modaloom.diffusion import PROCESSES
from modaloom.loom.evaluation.bounds import Bounds
from modaloom.loom.evaluation.mutual_information import mutual_information
from modaloom.loom.layout import FieldLayout
from modaloom.loom.loom import Loom

STREAMS = {"a": (1, 1), "b": (2, 1), "c": (1, 2)}
JOINT = Joint(STREAMS, 2, seed=7)
N = 1500


class Exact:
    """The network of a Loom, replaced by Bayes' rule."""

    shapes, nelbo = {name: CodeShape((shape[0],), shape[1], 2) for name, shape in STREAMS.items()}, Loom.nelbo
    layout = FieldLayout(shapes)

    def __init__(self):
        self.process = PROCESSES["masked"]()

    def __call__(self, canvas):
        return JOINT.denoise(canvas)


class Blind(Exact):
    """Says the same of a stream's codes whatever it sees."""

    def __call__(self, canvas):
        return {name: torch.tensor([0.5, -1.0]).expand(*f.state.shape, 2) for name, f in canvas.items()}


def encode(name, values):
    return torch.stack(values)


MODEL = SimpleNamespace(loom=Exact(), streams=dict.fromkeys(STREAMS), wanted=("a", "b", "c"), encode=encode)


def rows(n, seed):
    return torch.multinomial(JOINT.log_p.exp(), n, True, generator=torch.Generator().manual_seed(seed))


def sample(key, row, names=tuple(STREAMS)):
    return Sample(str(key), {name: JOINT.parts[name][row].view(STREAMS[name]) for name in names})


def pointwise(one, other):
    """log₂ p(one, other) / p(one) p(other) of every row of the table."""
    together = JOINT.log_marginal([one, other])
    return (together - JOINT.log_marginal([one]) - JOINT.log_marginal([other])) / math.log(2)


def exact(one, other):
    return float((JOINT.log_p.exp() * pointwise(one, other)).sum())


def test_exact_denoisers_give_the_exact_information_within_its_interval(monkeypatch):
    monkeypatch.setattr("modaloom.loom.evaluation.mutual_information.MAX_SAMPLES_TIMES_PAIRS", 10**6)
    samples = [sample(i, row) for i, row in enumerate(rows(N, seed=0).tolist())]
    found = {(mi.given, mi.want): mi for mi in mutual_information(MODEL, samples, n=N, exact=exact)}
    assert set(found) == set(permutations(STREAMS, 2))
    assert {mi.n for mi in found.values()} == {N}
    hits = [mi.low <= mi.exact <= mi.high for mi in found.values()]
    assert sum(hits) >= 5  # of 6 intervals of 95%
    for (one, other), mi in found.items():
        width = mi.high - mi.low
        assert 0 < width < 0.25
        assert abs(mi.bits - mi.exact) < 1.5 * width
        entropy = -float((JOINT.log_p.exp() * JOINT.log_marginal([other])).sum()) / math.log(2)
        assert mi.entropy == pytest.approx(entropy, rel=0.08)
        assert mi.exact == pytest.approx(exact(other, one))


def test_one_code_is_told_of_without_noise():
    """One code has one mask: stratified levels leave no other chance, and each sample's figure is exact."""
    drawn = rows(40, seed=1)
    bounds = Bounds(MODEL, [sample(i, row) for i, row in enumerate(drawn.tolist())], points=256)
    for given in ("b", "c"):
        found = bounds.pointwise(given, "a")
        close = found.pmi / pointwise(given, "a")[drawn]
        assert close.median() == pytest.approx(1, abs=0.05)


def test_both_terms_see_the_same_masks():
    """A stream that tells nothing tells exactly nothing, at any number of levels."""
    blind = SimpleNamespace(**vars(MODEL) | {"loom": Blind()})
    bounds = Bounds(blind, [sample(i, row) for i, row in enumerate(rows(50, seed=2).tolist())], points=2)
    found = bounds.pointwise("b", "c")
    assert found.alone.std() > 0.1
    assert found.pmi.abs().max() == 0


def test_samples_that_lack_a_stream_are_left_out():
    whole = [sample(i, row) for i, row in enumerate(rows(30, seed=3).tolist())]
    some = [sample(i, row, ("a", "b")) for i, row in enumerate(rows(10, seed=4).tolist(), start=30)]
    bounds = Bounds(MODEL, [*some, *whole])
    assert bounds.pointwise("a", "b").rows == tuple(range(40))
    assert bounds.pointwise("a", "c").rows == tuple(range(10, 40))
    mi = {(t.given, t.want): t.n for t in mutual_information(MODEL, [*some, *whole], n=35)}
    assert mi["b", "a"] == 35
    assert mi["c", "a"] == mi["a", "c"] == 30
    assert list(mutual_information(MODEL, some[:0], n=5)) == []
