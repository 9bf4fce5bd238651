"""Oracle D10: the weight average against its closed form, and over a resume."""

import pytest
import torch
from torch import nn

from modaloom.training.ema import EMA


class Ramp(nn.Module):
    """A parameter and a buffer that stand at the number of the step."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(3, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def to_step(self, n: int) -> None:
        self.w.fill_(n)
        self.count.fill_(n)


def closed_form(steps: int, decay: float) -> float:
    """Σ n (1 − d_n) Π_{m > n} d_m, from a start at 0, with d_n = min(decay, (1 + n) / (10 + n))."""
    rates = [min(decay, (1 + n) / (10 + n)) for n in range(1, steps + 1)]
    total = 0.0
    for n, rate in enumerate(rates, 1):
        weight = 1 - rate
        for later in rates[n:]:
            weight *= later
        total += n * weight
    return total


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9])
def test_a_ramp(decay: float) -> None:
    module = Ramp()
    ema = EMA(module, decay)
    for n in range(1, 101):
        module.to_step(n)
        ema.update(module, n)
        assert ema.tensors["w"].tolist() == pytest.approx([closed_form(n, decay)] * 3, rel=1e-12)
        assert ema.tensors["count"] == n


def test_the_lag_of_a_long_ramp_is_that_of_its_decay() -> None:
    """A geometric average of a ramp lags by d / (1 − d) steps, once its warm-up is forgotten."""
    module = Ramp()
    ema = EMA(module, 0.9)
    for n in range(1, 401):
        module.to_step(n)
        ema.update(module, n)
    assert 400 - float(ema.tensors["w"][0]) == pytest.approx(9, rel=1e-6)


def test_a_resume_changes_no_bit() -> None:
    whole, first = Ramp(), Ramp()
    straight, before = EMA(whole, 0.99), EMA(first, 0.99)
    for n in range(1, 61):
        whole.to_step(n)
        straight.update(whole, n)
        if n == 30:
            saved = {name: t.clone() for name, t in before.tensors.items()}
            before = EMA(Ramp(), 0.99)
            before.load(saved)
        first.to_step(n)
        before.update(first, n)
    assert torch.equal(straight.tensors["w"], before.tensors["w"])


def test_the_average_is_its_own() -> None:
    """Neither shares memory with the module, also for weights that the module ties."""
    module = nn.Module()
    module.a, module.b = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    module.b.weight = module.a.weight
    ema = EMA(module, 0.5)
    before = ema.tensors["a.weight"].clone()
    with torch.no_grad():
        module.a.weight.add_(1)
    assert torch.equal(ema.tensors["a.weight"], before)
    ema.update(module, 100)
    torch.testing.assert_close(ema.tensors["a.weight"], before + 0.5)
    assert torch.equal(ema.tensors["b.weight"], ema.tensors["a.weight"])
