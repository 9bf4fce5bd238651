"""What a network is shown of its condition."""

import math

import pytest
import torch

from modaloom.core.errors import BadValue
from modaloom.networks.local import Local, LocalConfig
from modaloom.networks.told import OCTAVES, shown
from modaloom.networks.unet import UNet, UNetConfig


def test_the_condition_is_shown_from_minus_one_to_one_and_then_in_octaves():
    state, condition = torch.full((1, 1, 2), 5.0), torch.tensor([[[0.0, 0.7]]])
    found = shown(state, condition.clone(), 2)
    x = 0.4
    waves = [
        math.sin(2 * math.pi * x),
        math.cos(2 * math.pi * x),
        math.sin(4 * math.pi * x),
        math.cos(4 * math.pi * x),
    ]
    torch.testing.assert_close(found[0, :, 1], torch.tensor([5.0, x, *waves]))
    torch.testing.assert_close(shown(state, condition.clone()), found[:, :2])
    assert shown(state, None, 2) is state


def test_octaves_tell_neighbouring_levels_apart():
    """Of 8 bits: two levels are 0.008 apart in [-1, 1], and a quarter of a turn in the sixth octave."""
    levels = torch.arange(256).view(1, 1, 256) / 255
    plain, fine = (
        shown(torch.zeros(1, 0, 256), levels.clone(), n)[0].diff(dim=1).norm(dim=0) for n in (0, 6)
    )
    assert plain.max() < 0.01
    assert fine.min() > 1.4


@pytest.mark.parametrize(
    "make",
    [
        lambda n: Local(1, LocalConfig(8, 1, octaves=n), axes=2, condition=2),
        lambda n: UNet(1, UNetConfig((8,), octaves=n), axes=2, condition=2),
    ],
)
def test_networks_take_them_and_differ_by_them_alone(make):
    state, condition, t = torch.randn(2, 1, 8, 8), torch.rand(2, 2, 8, 8), torch.rand(2)
    for octaves in (0, 3):
        net = make(octaves)
        torch.nn.init.normal_(net.last.weight)
        out = net(state, t, condition.clone())
        assert out.shape == state.shape
        near = net(state, t, condition + 1 / 255)
        assert not torch.equal(out, near)
    with pytest.raises(BadValue, match=f"octaves is 9; it must be at least 0 and at most {OCTAVES}"):
        make(9)
