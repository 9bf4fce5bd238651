"""Bits per code, of denoisers whose likelihoods are known."""

from types import SimpleNamespace

import pytest
import torch

from modaloom.core.types import CodeShape
from modaloom.diffusion import PROCESSES
from modaloom.loom.layout import FieldLayout
from modaloom.loom.likelihood import bits_per_code
from modaloom.loom.loom import Loom

K, N = 4, 600
SHAPES = {"a": CodeShape((3,), 2, K), "b": CodeShape((3,), 2, K)}


class Copying:
    """Knows that `b` says what `a` says, and nothing else."""

    shapes, layout, nelbo = SHAPES, FieldLayout(SHAPES), Loom.nelbo

    def __init__(self):
        self.process = PROCESSES["masked"]()

    def __call__(self, canvas):
        return {name: self.logits(canvas, name) for name in canvas}

    def logits(self, canvas, name):
        other = {"a": "b", "b": "a"}[name]
        if other not in canvas:
            return torch.zeros(*canvas[name].state.shape, K)
        return 50 * torch.nn.functional.one_hot(canvas[other].state.clamp_min(0), K).float()


def test_bits_with_and_without_the_other_stream():
    codes = torch.randint(0, K, (N, 3, 2), generator=torch.Generator().manual_seed(0))
    everyone = torch.ones(N, dtype=torch.bool)
    model = SimpleNamespace(loom=Copying())
    found = bits_per_code(model, {"a": codes, "b": codes}, {"a": everyone, "b": everyone})
    assert found["bits.b"] == pytest.approx(0, abs=1e-6)
    assert found["bits_alone.b"] == pytest.approx(2, rel=0.05)  # log2 of 4 codes
    again = bits_per_code(model, {"a": codes, "b": codes}, {"a": everyone, "b": everyone})
    assert found == again


def test_only_samples_that_have_the_streams_count():
    codes = torch.randint(0, K, (N, 3, 2), generator=torch.Generator().manual_seed(1))
    wrong = codes.clone()
    half = torch.arange(N) % 2 == 0
    wrong[~half] = (codes[~half] + 1) % K
    model = SimpleNamespace(loom=Copying())
    everyone = torch.ones(N, dtype=torch.bool)
    assert bits_per_code(model, {"a": codes, "b": wrong}, {"a": everyone, "b": half})[
        "bits.a"
    ] == pytest.approx(0, abs=1e-6)
    assert bits_per_code(model, {"a": codes, "b": wrong}, {"a": everyone, "b": everyone})["bits.a"] > 10
    apart = bits_per_code(model, {"a": codes, "b": wrong}, {"a": half, "b": ~half})
    assert apart == {name: pytest.approx(2, rel=0.1) for name in ("bits_alone.a", "bits_alone.b")}
