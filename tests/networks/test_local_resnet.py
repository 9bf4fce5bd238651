"""The local network's reach, and tiles that equal the whole."""

import pytest
import torch
from torch import Tensor, nn

from modaloom.core.errors import BadValue
from modaloom.networks.local_resnet import LocalResNet, LocalResNetConfig
from modaloom.networks.tiled import TiledNetwork, tile_boxes


@pytest.fixture(autouse=True)
def one_start():
    """Weights and some inputs are drawn from torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def stirred(net: LocalResNet, std: float = 0.3) -> LocalResNet:
    draw = torch.Generator().manual_seed(0)
    for p in net.parameters():
        nn.init.normal_(p, std=std, generator=draw)
    return net.double()


def noise(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("space_to_depth_steps", [0, 1, 2])
def test_the_reach_is_exact(space_to_depth_steps):
    """A stretch of whole steps depends on `receptive_radius` values on each side of it and on no other."""
    net = stirred(
        LocalResNet(
            1, LocalResNetConfig(width=4, num_res_blocks=1, space_to_depth_steps=space_to_depth_steps), axes=1
        )
    )
    (stride,), (radius,) = net.strides, net.receptive_radius
    start, side, t = 8 * stride, 17 * stride, torch.tensor([0.5])
    stretch = slice(start, start + stride)
    x = noise(1, 1, side)
    base = net(x, t)[..., stretch]
    for place, seen in (
        (start - radius, True),
        (start - radius - 1, False),
        (stretch.stop + radius - 1, True),
        (stretch.stop + radius, False),
    ):
        moved = x.clone()
        moved[..., place] += 1
        assert bool((net(moved, t)[..., stretch] != base).any()) == seen, place


@pytest.mark.parametrize("frames", [1, 3, 5])
def test_a_frame_depends_on_those_around_it_and_on_no_other(frames: int) -> None:
    net = stirred(LocalResNet(1, LocalResNetConfig(width=4, num_res_blocks=1, frames=frames), axes=3))
    x, t = noise(1, 1, 9, 6, 5), torch.tensor([0.5])
    base = net(x, t)[:, :, 4]
    for frame in range(9):
        moved = x.clone()
        moved[:, :, frame] += 1
        assert bool((net(moved, t)[:, :, 4] != base).any()) == (abs(frame - 4) <= frames // 2), frame
    assert net.receptive_radius[0] == frames // 2


def test_equal_frames_are_answered_as_one_is() -> None:
    """At the ends, too: before the first frame and after the last, these repeat."""
    net = stirred(LocalResNet(2, LocalResNetConfig(width=4, num_res_blocks=2), axes=3, condition_channels=1))
    x, c, t = noise(1, 2, 1, 7, 6), noise(1, 1, 1, 7, 6, seed=2), torch.tensor([0.5])
    one = net(x, t, c)
    for n in (2, 6):
        several = net(x.expand(-1, -1, n, -1, -1), t, c.expand(-1, -1, n, -1, -1))
        torch.testing.assert_close(several, one.expand_as(several), rtol=0, atol=1e-9)


def test_an_even_number_of_frames_is_refused() -> None:
    with pytest.raises(BadValue, match="frames is 4; it must be odd"):
        LocalResNetConfig(frames=4)


@pytest.mark.parametrize(
    ("sides", "space_to_depth_steps"),
    [((101,), 1), ((53, 37), 0), ((53, 37), 1), ((1, 61), 2), ((9, 21, 17), 1)],
)
def test_tiles_equal_the_whole_at_odd_sizes(sides, space_to_depth_steps):
    net = LocalResNet(
        2,
        LocalResNetConfig(width=6, num_res_blocks=1, space_to_depth_steps=space_to_depth_steps),
        axes=len(sides),
        condition_channels=1,
        context_features=2,
    )
    net = stirred(net, 0.2).float()
    x, c = noise(2, 2, *sides).float(), noise(2, 1, *sides, seed=2).float()
    t, told = torch.tensor([0.3, 1.0]), noise(2, 3, 2, seed=3).float()
    whole, tiles = net(x, t, c, told), TiledNetwork(net, 8)(x, t, c, told)
    assert whole.std() > 0.01
    torch.testing.assert_close(tiles, whole, rtol=0, atol=1e-5)


def test_boxes_cover_every_position_once():
    count = torch.zeros(13, 8)
    for box in tile_boxes(count.shape, 5):
        count[box] += 1
    assert torch.equal(count, torch.ones(13, 8))


@pytest.mark.parametrize("tile", [0, 6, -4])
def test_tiles_that_cut_a_step_are_refused(tile):
    with pytest.raises(BadValue, match="a positive multiple of 4"):
        TiledNetwork(
            LocalResNet(1, LocalResNetConfig(width=2, num_res_blocks=1, space_to_depth_steps=2), axes=1), tile
        )


def test_what_is_far_has_no_say_whatever_its_size():
    """Bit for bit."""
    net = stirred(
        LocalResNet(1, LocalResNetConfig(width=4, num_res_blocks=1, space_to_depth_steps=0), axes=2)
    )
    x, t = noise(1, 1, 20, 20), torch.tensor([0.5])
    far = x.clone()
    far[..., 15:, :] *= 1000
    near = 15 - net.receptive_radius[0]
    assert torch.equal(net(far, t)[..., :near, :], net(x, t)[..., :near, :])


def test_three_quarters_of_the_first_filters_see_details_of_the_condition_alone():
    """Even conditions of any brightness are the same to them, up to the edge; to the others they are not."""
    net = LocalResNet(
        1, LocalResNetConfig(width=8, num_res_blocks=1, space_to_depth_steps=1), axes=2, condition_channels=2
    ).double()
    taken: list[Tensor] = []
    net.first.register_forward_hook(lambda module, inputs, output: taken.append(output))
    x, t = noise(1, 1, 8, 8), torch.tensor([0.5])
    for level in (0.1, 0.7):
        net(x, t, torch.full((1, 2, 8, 8), level, dtype=torch.float64))
    even, moved = (taken[1] - taken[0]).abs()[0, :6].amax(), (taken[1] - taken[0]).abs()[0, 6:].amin()
    assert even < 1e-5
    assert moved > 1e-3
    weight = net.first.weight[:, 4:].abs().mean((1, 2, 3))
    assert weight[:6].mean() > 10 * weight[6:].mean()
    assert net.first.weight[:, :4].abs().max() < 1


def test_under_autocast_only_what_blocks_add_is_rounded():
    """Blocks that add nothing yet leave the output as it is, bit for bit; others round what they add."""
    net = LocalResNet(2, LocalResNetConfig(width=16, num_res_blocks=2), axes=2, condition_channels=2)
    nn.init.normal_(net.last.weight)
    x, t, c = noise(2, 2, 12, 12).float(), torch.rand(2), torch.rand(2, 2, 12, 12)
    for same in (True, False):
        exact = net(x, t, c.clone())
        with torch.autocast("cpu", torch.bfloat16):
            mixed = net(x, t, c.clone())
        assert mixed.dtype == torch.float32
        assert torch.equal(mixed, exact) == same
        torch.testing.assert_close(mixed, exact, atol=0.02, rtol=0.02)
        nn.init.normal_(net.blocks[1].b.weight, std=0.02)
