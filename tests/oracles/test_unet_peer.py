"""The U-Net is the graph of diffusers' UNet2DModel. Oracle: that model with copied weights."""

from typing import Any

import pytest
import torch

from modaloom.bench.unet_peer import twins
from modaloom.networks.unet import UNet, UNetConfig

diffusers = pytest.importorskip("diffusers", reason="needs diffusers: pip install 'modaloom[oracles]'")


CONFIG = UNetConfig(widths=(8, 16, 24), num_res_blocks=2, groups=4)


@pytest.fixture
def nets() -> tuple[UNet, Any]:
    """Ours and the peer, of the same random weights."""
    return twins(CONFIG, 3, condition=2)


def test_the_whole_network_and_its_gradient_equal_the_peer(nets: tuple[UNet, Any]) -> None:
    ours, peer = nets
    draw = torch.Generator().manual_seed(1)
    x, t = torch.randn(2, 5, 16, 24, generator=draw), torch.tensor([0.2, 0.9])
    here, there = ours(x[:, :3], t, (x[:, 3:] + 1) / 2), peer(x, t).sample
    compare(here, there)
    here.square().sum().backward()
    there.square().sum().backward()
    compare(ours.first.weight.grad, peer.conv_in.weight.grad)


def compare(here: torch.Tensor, there: torch.Tensor) -> None:
    here, there = here.detach(), there.detach()
    assert there.std() > 0.1
    torch.testing.assert_close(here, there, rtol=0, atol=1e-4 * float(there.std()))
