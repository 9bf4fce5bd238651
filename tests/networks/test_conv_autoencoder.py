"""Encoder and decoder over 1, 2 and 3 axes: shapes, how far a code looks, and parts that equal the whole."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from modaloom.networks.autoencoder import AutoencoderResBlock, decoder, encoder, stage_factors
from modaloom.networks.conv import per_axis
from modaloom.networks.tiled import cells_of, crop, expand, fitting_tile, relative_to, scaled

STRIDES = [(4,), (8, 8), (2, 8), (1, 4, 2)]


def halved(axes: int, stages: int) -> list[tuple[int, ...]]:
    return [(2,) * axes] * stages


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with random weights, so that no block is the identity."""
    draw = torch.Generator().manual_seed(seed)
    for p in module.parameters():
        nn.init.normal_(p, std=0.3, generator=draw)
    return module.double().requires_grad_(False)


@dataclass
class Part:
    """An encoder of 2 channels or a decoder to them, with random weights, and cells of its input."""

    name: str
    strides: tuple[int, ...]
    blocks: int = 1
    causal: bool = False

    def __post_init__(self) -> None:
        factors = stage_factors(self.strides)
        make = {"encoder": encoder, "decoder": decoder}[self.name]
        net = make(2, (4, 6, 5)[: len(factors)], 3, factors=factors, blocks=self.blocks, causal=self.causal)
        self.net = stirred(net).eval()

    def input(self, grid: Sequence[int], batch: int = 1) -> Tensor:
        """Random input of this many cells an axis."""
        if self.name == "decoder":
            return noise(batch, 3, *grid)
        return noise(batch, 2, *(n * stride for n, stride in zip(grid, self.strides)))

    def middle(self, x: Tensor, halo: Sequence[int]) -> Tensor:
        """The output of the middle cell, from that cell and a halo of the input alone."""
        cells = cells_of(x, self.net.scale_in)
        box = tuple(slice(n // 2, n // 2 + 1) for n in cells)
        padded = expand(box, halo, cells)
        out = self.net(crop(x, scaled(padded, per_axis(self.net.scale_in, len(cells)))))
        return crop(out, scaled(relative_to(box, padded), per_axis(self.net.scale_out, len(cells))))


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("strides", "factors"),
    [
        ((8,), [(2,), (2,), (2,)]),
        ((4, 4), [(2, 2), (2, 2)]),
        ((4, 8, 8), [(1, 2, 2), (2, 2, 2), (2, 2, 2)]),
        ((1, 2), [(1, 2)]),
    ],
)
def test_an_axis_of_a_smaller_stride_is_halved_in_the_last_stages(strides, factors):
    assert stage_factors(strides) == factors


@pytest.mark.parametrize("strides", STRIDES)
def test_every_axis_is_divided_and_multiplied_by_its_stride(strides):
    down, up = Part("encoder", strides), Part("decoder", strides)
    signal = down.input([3] * len(strides), batch=2)
    codes = down.net(signal)
    assert codes.shape == (2, 3, *[3] * len(strides))
    assert up.net(codes).shape == signal.shape


@pytest.mark.parametrize("sides", [(16,), (16, 8), (8, 16, 24)])
@pytest.mark.parametrize("blocks", [1, 2])
def test_encoder_halves_and_decoder_doubles_every_axis_once_a_width(sides, blocks):
    axes, widths = len(sides), (4, 6, 5)
    small = encoder(2, widths, 7, factors=halved(axes, 3), blocks=blocks)(torch.randn(3, 2, *sides))
    assert small.shape == (3, 7, *(side // 8 for side in sides))
    assert decoder(2, widths, 7, factors=halved(axes, 3), blocks=blocks)(small).shape == (3, 2, *sides)


@pytest.mark.parametrize("axes", [1, 2])
def test_a_code_sees_exactly_its_neighbourhood(axes):
    """Code 0 of 32 values takes 8 of them, plus two convolutions of 3 at stride 4 and two at stride 2.

    That is 8 + 2·4 + 2·2 = 20 values: the last scale mixes channels alone.
    """
    net = stirred(encoder(1, (4, 4, 4), 3, factors=halved(axes, 3)))
    x = torch.randn(1, 1, *[32] * axes, dtype=torch.float64)
    code = net(x)[(..., *[0] * axes)]
    for first, seen in ((20, False), (19, True)):
        changed = x.clone()
        changed[..., first:] += 1
        assert torch.equal(net(changed)[(..., *[0] * axes)], code) is not seen
    corner = x.clone()
    corner[(..., *[-1] * axes)] += 1
    assert not torch.equal(net(corner)[(..., *[-1] * axes)], net(x)[(..., *[-1] * axes)])


def test_a_single_scale_still_looks_around():
    net, x = stirred(encoder(1, (4,), 3, factors=halved(1, 1))), torch.randn(1, 1, 8, dtype=torch.float64)
    changed = x.clone()
    changed[..., 2:] += 1
    assert not torch.equal(net(changed)[..., 0], net(x)[..., 0])


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_fresh_residual_block_changes_nothing_but_can_learn(axes):
    block, x = AutoencoderResBlock(4, axes), torch.randn(2, 4, *[4] * axes)
    nn.init.zeros_(block.b.bias)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.b.weight.grad.abs().max() > 0


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", ["encoder", "decoder"])
@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("strides", STRIDES)
def test_the_halo_is_the_least_that_suffices(name, strides, blocks, causal):
    """With it, a cell is that of the whole; with one cell less along any axis that has one, it is not."""
    part = Part(name, strides, blocks, causal)
    halo = part.net.halo
    x = part.input([2 * n + 3 for n in halo])
    whole = part.middle(x, [n + 1 for n in halo])
    scale = float(whole.abs().max())
    torch.testing.assert_close(part.middle(x, halo), whole, rtol=0, atol=1e-9 * scale)
    for axis in (axis for axis, cells in enumerate(halo) if cells):
        less = [n - (i == axis) for i, n in enumerate(halo)]
        assert (part.middle(x, less) - whole).abs().max() > 1e-6 * scale


@pytest.mark.parametrize("name", ["encoder", "decoder"])
@pytest.mark.parametrize("strides", STRIDES)
def test_causal_networks_see_nothing_that_comes_later(name, strides):
    """Along the first axis: the cells up to a change stay bit for bit, and the next one does not."""
    part = Part(name, strides, causal=True)
    x = part.input([7] * len(strides))
    changed, scale = x.clone(), per_axis(part.net.scale_in, len(strides))[0]
    changed[:, :, 4 * scale :] += 1
    end = 4 * per_axis(part.net.scale_out, len(strides))[0]
    whole, other = part.net(x), part.net(changed)
    assert torch.equal(whole[:, :, :end], other[:, :, :end])
    assert not torch.equal(whole[:, :, end : end + 1], other[:, :, end : end + 1])
    changed = x.clone()
    changed[:, :, : 4 * scale] += 1
    assert not torch.equal(whole[:, :, end:], part.net(changed)[:, :, end:])


@pytest.mark.parametrize("name", ["encoder", "decoder"])
@pytest.mark.parametrize("pieces", [2, 5, 20])
@pytest.mark.parametrize(
    ("strides", "grid"), [((4,), (301,)), ((4, 4), (9, 14)), ((2, 8), (20, 5)), ((1, 4, 2), (6, 5, 4))]
)
def test_in_eval_mode_large_inputs_run_in_parts_that_equal_the_whole(name, strides, grid, pieces):
    """No layer sees more elements than are allowed, unless a single cell and its halo have more."""
    part = Part(name, strides)
    net, x = part.net, part.input(grid, batch=3)
    whole, seen = net(x), []
    for layer in net:
        layer.register_forward_hook(lambda module, inputs, output: seen.append(output.numel()))
    most = net.max_elements = 3 * math.prod(grid) * net.elements_per_cell // pieces
    parts = net(x)
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-9 * float(whole.abs().max()))
    least = math.prod(map(min, (2 * h + 1 for h in net.halo), grid)) * net.elements_per_cell
    assert max(seen) <= max(most, least)
    assert len(seen) >= 3 * len(net)
    seen.clear()
    net.train()(x)
    assert len(seen) == len(net)


@pytest.mark.parametrize("name", ["encoder", "decoder"])
@pytest.mark.parametrize("strides", STRIDES)
def test_the_largest_activation_is_counted(name, strides):
    """Of all layers' inputs and outputs, on a grid of 2 cells an axis."""
    part, seen = Part(name, strides), []
    for layer in part.net.modules():
        layer.register_forward_hook(lambda m, inputs, output: seen.extend([inputs[0], output]))
    part.net(part.input([2] * len(strides)))
    assert max(t.numel() for t in seen) == 2 ** len(strides) * part.net.elements_per_cell


def test_a_tile_is_the_whole_or_halves_of_its_longest_sides():
    assert fitting_tile((100, 30), (2, 2), 3000) == (100, 30)
    assert fitting_tile((100, 30), (2, 2), 2999) == (50, 30)
    assert fitting_tile((100, 30), (2, 2), 54 * 30) == (50, 30)
    assert fitting_tile((100, 30), (2, 2), 54 * 30 - 1) == (25, 30)
    assert fitting_tile((9, 9, 9), (3, 3, 3), 1) == (1, 1, 1)
