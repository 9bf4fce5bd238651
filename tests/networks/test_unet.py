"""The U-Net over n axes: sizes, axes, what it is told."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.networks.conditioning import ConditioningEmbedding, ResBlock
from modaloom.networks.unet import MidBlock, UNet, UNetConfig

SMALL = UNetConfig(widths=(4, 8), num_res_blocks=1, groups=2)


def stirred(net: nn.Module, seed: int = 0) -> nn.Module:
    draw = torch.Generator().manual_seed(seed)
    for p in net.parameters():
        nn.init.normal_(p, std=0.3, generator=draw)
    return net.double()


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("sides", [(1,), (7,), (5, 8), (1, 1), (3, 2, 5)])
@pytest.mark.parametrize("heads", [0, 2])
def test_any_size_is_the_crop_of_the_size_padded_with_its_last_values(sides, heads):
    net = stirred(UNet(2, UNetConfig((4, 8), groups=2, num_heads=heads), axes=len(sides)))
    x, t = noise(3, 2, *sides), torch.tensor([0.1, 0.5, 1.0])
    even = x
    for axis, side in enumerate(sides, 2):
        index = torch.arange(side + side % 2).clamp(max=side - 1)
        even = even.index_select(axis, index)
    y = net(x, t)
    assert y.shape == x.shape
    torch.testing.assert_close(y, net(even, t)[(..., *map(slice, sides))])


def test_more_axes_with_the_same_weights_give_the_same_where_the_signal_does_not_change():
    """Oracle: a network of 1 axis, its kernels set in the middle of those of 2 axes."""
    one = stirred(UNet(2, SMALL, axes=1, condition_channels=1))
    two = UNet(2, SMALL, axes=2, condition_channels=1).double()
    for here, there in zip(two.parameters(), one.parameters()):
        nn.init.zeros_(here)
        (here if here.ndim < 4 else here[..., here.shape[-1] // 2]).data.copy_(there)
    x, c, t = noise(2, 2, 8), noise(2, 1, 8, seed=2), torch.tensor([0.3, 0.8])
    wide = [signal[..., None].expand(-1, -1, -1, 6) for signal in (x, c)]
    torch.testing.assert_close(two(wide[0], t, wide[1]), one(x, t, c)[..., None].expand(-1, -1, -1, 6))


def test_it_starts_at_0_and_then_uses_everything_that_it_is_told():
    net = UNet(
        1, UNetConfig((4, 8), groups=2, num_heads=2), axes=2, condition_channels=2, context_features=3
    ).double()
    x, t, c, told = noise(2, 1, 6, 6), torch.tensor([0.2, 0.7]), noise(2, 2, 6, 6), noise(2, 4, 3)
    assert torch.equal(net(x, t, c, told), torch.zeros_like(x))
    base = stirred(net)(x, t, c, told)
    for other in ((x + 1, t, c, told), (x, t / 2, c, told), (x, t, c * 2, told), (x, t, c, told + 1)):
        assert (net(*other) - base).abs().max() > 1e-3


def test_under_autocast_the_first_layer_and_the_last_are_exact():
    """Levels of the condition that bfloat16 does not tell apart reach the blocks; the output is float32."""
    net, seen = UNet(1, SMALL, axes=2, condition_channels=1), []
    net.first.register_forward_hook(lambda layer, given, found: seen.append(found))
    net.last.register_forward_hook(lambda layer, given, found: seen.append(found))
    nn.init.normal_(net.last.weight)
    x, t = noise(1, 1, 8, 8).float(), torch.tensor([0.5])
    with torch.autocast("cpu", torch.bfloat16):
        for level in (0.9, 0.9005):
            net(x, t, torch.full((1, 1, 8, 8), level))
    assert all(found.dtype == torch.float32 for found in seen)
    assert (seen[2] - seen[0]).abs().max() > 1e-5
    assert (seen[3] - seen[1]).abs().max() > 0


def test_hidden_matrices_are_the_kernels_between_the_first_layer_and_the_last():
    net = UNet(2, UNetConfig((4, 8), groups=2, num_heads=2), axes=1)
    kernels = {id(m.weight) for m in net.modules() if isinstance(m, nn.Conv1d)}
    assert {id(p) for p in net.hidden_matrices()} == kernels - {id(net.first.weight), id(net.last.weight)}


def test_attention_over_the_coarsest_grid_does_not_know_its_order():
    """With blocks that pass on what they get: a permutation of positions is one of the output, and one
    position's change moves all others."""
    make = partial(ResBlock, emb_width=3, axes=2, norm=partial(nn.GroupNorm, 2))
    middle = stirred(MidBlock(4, make, heads=2))
    for block in (middle.a, middle.b):
        nn.init.zeros_(block.b.weight)
        nn.init.zeros_(block.b.bias)
    x, told, order = noise(1, 4, 3, 5), noise(1, 3), torch.randperm(15)
    shuffled = x.flatten(2)[..., order].reshape(x.shape)
    expected = middle(x, told).flatten(2)[..., order].reshape(x.shape)
    torch.testing.assert_close(middle(shuffled, told), expected)
    moved = x.clone()
    moved[:, 0, 0, 0] += 1
    assert ((middle(moved, told) - middle(x, told)).abs().amax(1) > 1e-3).all()


def test_a_context_is_a_set():
    embed = stirred(ConditioningEmbedding(6, 3))
    t, context = torch.tensor([0.4, 0.6]), noise(2, 5, 3)
    y = embed(t, context)
    torch.testing.assert_close(embed(t, context[:, [3, 0, 4, 1, 2]]), y)
    torch.testing.assert_close(embed(t, context.repeat(1, 2, 1)), y)
    assert (embed(t, context[:, :4]) - y).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"widths": (8, 12), "groups": 8}, "multiple of groups, 8"),
        ({"widths": ()}, "multiple of groups"),
        ({"widths": (8, 0)}, "multiple of groups"),
        ({"num_heads": 3}, "num_heads is 3; it must divide the last of widths, 128"),
        ({"num_res_blocks": 0}, "num_res_blocks is 0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong, message):
    with pytest.raises(BadValue, match=message):
        UNetConfig(**wrong)
