"""The U-Net is the graph of diffusers' UNet2DModel. Oracle: that model with copied weights."""

from typing import Any

import pytest
import torch
from torch import nn

from modaloom.networks.level import WAVES, waves
from modaloom.networks.unet import UNet, UNetConfig

diffusers = pytest.importorskip("diffusers", reason="needs diffusers: pip install 'modaloom[oracles]'")


class Waves(nn.Module):
    """The time as ours sees it: which waves is a choice; all that follows is compared."""

    def forward(self, t: torch.Tensor) -> torch.Tensor:
        return waves(t, WAVES)


CONFIG = UNetConfig(widths=(8, 16, 24), blocks=2, groups=4)


@pytest.fixture
def nets() -> tuple[UNet, Any]:
    """Ours and the peer, of the same random weights."""
    peer = diffusers.UNet2DModel(
        in_channels=5,
        out_channels=3,
        down_block_types=["DownBlock2D"] * 3,
        up_block_types=["UpBlock2D"] * 3,
        block_out_channels=CONFIG.widths,
        layers_per_block=CONFIG.blocks,
        norm_num_groups=CONFIG.groups,
        norm_eps=1e-5,
        add_attention=False,
    )
    peer.time_proj = Waves()
    peer.time_embedding.linear_1 = nn.Linear(2 * WAVES, 32)
    ours = UNet(3, CONFIG, axes=2, condition=2)
    draw = torch.Generator().manual_seed(0)
    for p in peer.parameters():
        nn.init.normal_(p, std=0.2, generator=draw)
    for here, there in zip(layers_of(ours), layers_of_peer(peer), strict=True):
        here.load_state_dict(there.state_dict())
    return ours, peer


def layers_of(net: UNet) -> list[nn.Module]:
    scales = [
        *([*down.blocks, down.halve] for down in net.down),
        [net.middle.a, net.middle.b],
        *([*up.blocks, up.smooth] for up in net.up),
    ]
    blocks = [layer for scale in scales for layer in scale if layer is not None]
    parts = [part for block in blocks for part in parts_of(block)]
    return [net.told.time[0], net.told.time[2], net.first, *parts, net.norm, net.last]


def parts_of(block: nn.Module) -> list[nn.Module]:
    if isinstance(block, nn.Conv2d):
        return [block]
    skip = [] if isinstance(block.skip, nn.Identity) else [block.skip]
    return [block.norm_a, block.a, block.listen, block.norm_b, block.b, *skip]


def layers_of_peer(net: Any) -> list[nn.Module]:
    blocks = []
    for down in net.down_blocks:
        blocks += [*down.resnets, *[sampler.conv for sampler in down.downsamplers or []]]
    blocks += net.mid_block.resnets
    for up in net.up_blocks:
        blocks += [*up.resnets, *[sampler.conv for sampler in up.upsamplers or []]]
    parts = [part for block in blocks for part in parts_of_peer(block)]
    time = net.time_embedding
    return [time.linear_1, time.linear_2, net.conv_in, *parts, net.conv_norm_out, net.conv_out]


def parts_of_peer(block: Any) -> list[nn.Module]:
    if isinstance(block, nn.Conv2d):
        return [block]
    skip = [] if block.conv_shortcut is None else [block.conv_shortcut]
    return [block.norm1, block.conv1, block.time_emb_proj, block.norm2, block.conv2, *skip]


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
