"""Our U-Net and diffusers' UNet2DModel as the same graph with the same weights."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.networks.timestep_embedding import NUM_FREQUENCIES, sinusoidal_embedding
from modaloom.networks.unet import UNet, UNetConfig


class SinusoidalEmbedding(nn.Module):
    """Our sinusoidal embedding of the time, in place of the peer's, so that the rest can be compared."""

    def forward(self, t: Tensor) -> Tensor:
        return sinusoidal_embedding(t, NUM_FREQUENCIES)


def twins(config: UNetConfig, channels: int, *, condition: int = 0) -> tuple[UNet, Any]:
    """Our U-Net and the peer with the same random weights. Raises `BadValue` if the peer is not installed."""
    ours, peer = (
        UNet(channels, config, axes=2, condition_channels=condition),
        _peer(config, channels, condition),
    )
    random = generator(0, "twins")
    for p in peer.parameters():
        nn.init.normal_(p, std=0.2, generator=random)
    for layer, peer_layer in zip(_layers(ours), _peers_layers(peer), strict=True):
        layer.load_state_dict(peer_layer.state_dict())
    return ours, peer


def _peer(config: UNetConfig, channels: int, condition: int) -> Any:
    try:
        import diffusers
    except ImportError as error:
        raise BadValue("the benchmark needs its peer: pip install 'modaloom[oracles]'") from error
    made: Any = diffusers.UNet2DModel
    peer = made(
        in_channels=channels + condition,
        out_channels=channels,
        down_block_types=["DownBlock2D"] * len(config.widths),
        up_block_types=["UpBlock2D"] * len(config.widths),
        block_out_channels=config.widths,
        layers_per_block=config.num_res_blocks,
        norm_num_groups=config.groups,
        norm_eps=1e-5,
        add_attention=False,
    )
    peer.time_proj = SinusoidalEmbedding()
    peer.time_embedding.linear_1 = nn.Linear(2 * NUM_FREQUENCIES, 4 * config.widths[0])
    return peer


def _layers(net: Any) -> Iterator[nn.Module]:
    """Layers of our U-Net, in the order of the graph."""
    scales = [
        *([*down.blocks, down.downsample] for down in net.down),
        [net.middle.a, net.middle.b],
        *([*up.blocks, up.upsample_conv] for up in net.up),
    ]
    yield from (net.conditioning.time[0], net.conditioning.time[2], net.first)
    for block in (layer for scale in scales for layer in scale if layer is not None):
        if isinstance(block, nn.Conv2d):
            yield block
        else:
            yield from (block.norm_a, block.a, block.emb_proj, block.norm_b, block.b)
            yield from () if isinstance(block.skip, nn.Identity) else (block.skip,)
    yield from (net.norm, net.last)


def _peers_layers(net: Any) -> Iterator[nn.Module]:
    """Layers of the peer, in the same order."""
    blocks = []
    for down in net.down_blocks:
        blocks += [*down.resnets, *(sampler.conv for sampler in down.downsamplers or [])]
    blocks += net.mid_block.resnets
    for up in net.up_blocks:
        blocks += [*up.resnets, *(sampler.conv for sampler in up.upsamplers or [])]
    yield from (net.time_embedding.linear_1, net.time_embedding.linear_2, net.conv_in)
    for block in blocks:
        if isinstance(block, nn.Conv2d):
            yield block
        else:
            yield from (block.norm1, block.conv1, block.time_emb_proj, block.norm2, block.conv2)
            yield from () if block.conv_shortcut is None else (block.conv_shortcut,)
    yield from (net.conv_norm_out, net.conv_out)
