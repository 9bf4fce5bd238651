"""What a network is shown of its condition."""

import math

import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.networks.conditioning import MAX_FOURIER_FREQUENCIES, concat_condition
from modaloom.networks.local_resnet import LocalResNet, LocalResNetConfig
from modaloom.networks.unet import UNet, UNetConfig


def test_the_condition_is_shown_from_minus_one_to_one_and_then_in_octaves():
    state, condition = torch.full((1, 1, 2), 5.0), torch.tensor([[[0.0, 0.7]]])
    found = concat_condition(state, condition.clone(), 2)
    x = 0.4
    waves = [
        math.sin(2 * math.pi * x),
        math.cos(2 * math.pi * x),
        math.sin(4 * math.pi * x),
        math.cos(4 * math.pi * x),
    ]
    torch.testing.assert_close(found[0, :, 1], torch.tensor([5.0, x, *waves]))
    torch.testing.assert_close(concat_condition(state, condition.clone()), found[:, :2])
    assert concat_condition(state, None, 2) is state


def test_octaves_tell_neighbouring_levels_apart():
    """Of 8 bits: two levels are 0.008 apart in [-1, 1], and a quarter of a turn in the sixth octave."""
    levels = torch.arange(256).view(1, 1, 256) / 255
    plain, fine = (
        concat_condition(torch.zeros(1, 0, 256), levels.clone(), n)[0].diff(dim=1).norm(dim=0) for n in (0, 6)
    )
    assert plain.max() < 0.01
    assert fine.min() > 1.4


@pytest.mark.parametrize(
    "make",
    [
        lambda n: LocalResNet(
            1, LocalResNetConfig(8, 1, fourier_frequencies=n), axes=2, condition_channels=2
        ),
        lambda n: UNet(1, UNetConfig((8,), fourier_frequencies=n), axes=2, condition_channels=2),
    ],
)
def test_networks_take_them_and_differ_by_them_alone(make):
    state, condition, t = torch.randn(2, 1, 8, 8), torch.rand(2, 2, 8, 8), torch.rand(2)
    for fourier_frequencies in (0, 3):
        net = make(fourier_frequencies)
        torch.nn.init.normal_(net.last.weight)
        out = net(state, t, condition.clone())
        assert out.shape == state.shape
        near = net(state, t, condition + 1 / 255)
        assert not torch.equal(out, near)
    with pytest.raises(
        BadValue,
        match=f"fourier_frequencies is 9; it must be at least 0 and at most {MAX_FOURIER_FREQUENCIES}",
    ):
        make(9)
