"""D12: the scale of signals is measured, stored and applied both ways."""

import math

import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.diffusion.normalizer import Normalizer

DATA = torch.tensor([5.0, -3.0])[:, None] + torch.tensor([2.0, 0.01])[:, None] * torch.randn(
    400, 2, 7, generator=torch.Generator().manual_seed(0)
)


def fitted() -> Normalizer:
    normalizer = Normalizer(2)
    normalizer.fit(DATA)
    return normalizer


def test_training_data_gets_mean_0_and_deviation_1() -> None:
    signal = fitted()(DATA)
    torch.testing.assert_close(signal.mean((0, 2)), torch.zeros(2), rtol=0, atol=1e-4)
    torch.testing.assert_close(signal.square().mean((0, 2)), torch.ones(2), rtol=1e-4, atol=0)


def test_other_data_is_measured_by_the_training_data() -> None:
    """One deviation above the training mean becomes 1, whatever the data's own mean."""
    values = DATA.double().transpose(0, 1).flatten(1)
    one = (values.mean(1) + (values - values.mean(1, keepdim=True)).square().mean(1).sqrt()).float()
    torch.testing.assert_close(fitted()(one.expand(3, 2)), torch.ones(3, 2), rtol=0, atol=1e-3)


def test_back_is_the_inverse() -> None:
    normalizer = fitted()
    torch.testing.assert_close(normalizer.inverse(normalizer(DATA)), DATA)


def test_it_is_saved_with_the_weights() -> None:
    loaded = Normalizer(2)
    assert torch.equal(loaded(DATA), DATA)
    loaded.load_state_dict(fitted().state_dict())
    assert torch.equal(loaded(DATA), fitted()(DATA))


def test_a_large_mean_does_not_drown_the_deviation() -> None:
    """10,000 ± 1 in float32: measured in float64, to 1%."""
    normalizer = Normalizer(1)
    normalizer.fit(torch.tensor([[9999.0], [10001.0]] * 50))
    assert float(normalizer.deviation) == pytest.approx(1, rel=0.01)


def test_a_constant_channel_keeps_its_size() -> None:
    normalizer = Normalizer(1)
    normalizer.fit(torch.full((4, 1), 3.0))
    assert normalizer(torch.tensor([[3.5]])).tolist() == [[0.5]]


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(BadValue, match="not finite"):
        Normalizer(1).fit(torch.tensor([[1.0], [math.nan]]))
