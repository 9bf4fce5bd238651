"""Convolutions over 1, 2 and 3 axes: exact rearrangement, shapes, and how far a code looks."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from modaloom.networks.conv import (
    AutoencoderResBlock,
    ChannelNorm,
    decoder,
    depth_to_space,
    encoder,
    space_to_depth,
    to_channels_last,
)

SIDES = [(6,), (4, 6), (2, 4, 6)]


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """The module with random weights, so that no block is the identity."""
    draw = torch.Generator().manual_seed(seed)
    for p in module.parameters():
        nn.init.normal_(p, std=0.3, generator=draw)
    return module.double()


def folded_by_hand(x: np.ndarray) -> np.ndarray:
    """out[b, c·2ⁿ + (bits of the offset), i, j, …] = x[b, c, 2i + offset, 2j + offset, …]."""
    n = x.ndim - 2
    out = np.zeros((len(x), x.shape[1] * 2**n, *(side // 2 for side in x.shape[2:])), x.dtype)
    for number, offset in enumerate(itertools.product((0, 1), repeat=n)):
        out[:, number :: 2**n] = x[(slice(None), slice(None), *(slice(o, None, 2) for o in offset))]
    return out


@pytest.mark.parametrize("sides", SIDES)
def test_fold_puts_every_value_in_its_place_and_unfold_takes_it_back(sides):
    x = torch.arange(2 * 3 * int(np.prod(sides)), dtype=torch.float32).reshape(2, 3, *sides)
    assert np.array_equal(space_to_depth(x).numpy(), folded_by_hand(x.numpy()))
    assert torch.equal(depth_to_space(space_to_depth(x)), x)
    y = torch.randn(2, 3 * 2 ** len(sides), *sides)
    assert torch.equal(space_to_depth(depth_to_space(y)), y)


@pytest.mark.parametrize("sides", [(16,), (16, 8), (8, 16, 24)])
@pytest.mark.parametrize("blocks", [1, 2])
def test_encoder_halves_and_decoder_doubles_every_axis_once_a_width(sides, blocks):
    axes, widths = len(sides), (4, 6, 5)
    small = encoder(2, widths, 7, axes=axes, blocks=blocks)(torch.randn(3, 2, *sides))
    assert small.shape == (3, 7, *(side // 8 for side in sides))
    assert decoder(2, widths, 7, axes=axes, blocks=blocks)(small).shape == (3, 2, *sides)


@pytest.mark.parametrize("axes", [1, 2])
def test_a_code_sees_exactly_its_neighbourhood(axes):
    """Code 0 of 32 values takes 8 of them, plus two convolutions of 3 at stride 4 and two at stride 2.

    That is 8 + 2·4 + 2·2 = 20 values: the last scale mixes channels alone.
    """
    net = stirred(encoder(1, (4, 4, 4), 3, axes=axes))
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
    net, x = stirred(encoder(1, (4,), 3, axes=1)), torch.randn(1, 1, 8, dtype=torch.float64)
    changed = x.clone()
    changed[..., 2:] += 1
    assert not torch.equal(net(changed)[..., 0], net(x)[..., 0])


def test_channel_norm_is_each_positions_own():
    norm, x = ChannelNorm(5), torch.randn(2, 5, 3, 4)
    x[1, :, 2, 3] *= 1000
    expected = (x - x.mean(1, keepdim=True)) / (x.var(1, unbiased=False, keepdim=True) + norm.eps).sqrt()
    torch.testing.assert_close(norm(x), expected)
    changed = x.clone()
    changed[0, :, 0, 0] = torch.randn(5)
    differs = (norm(changed) != norm(x)).any(1)
    assert differs.nonzero().tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_fresh_residual_block_changes_nothing_but_can_learn(axes):
    block, x = AutoencoderResBlock(4, axes), torch.randn(2, 4, *[4] * axes)
    nn.init.zeros_(block.b.bias)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    assert block.b.weight.grad.abs().max() > 0


def test_memory_format_changes_the_layout_and_no_value():
    for axes in (1, 2, 3):
        x = torch.randn(2, 3, *[4] * axes)
        assert torch.equal(to_channels_last(x), x)
    assert to_channels_last(torch.randn(2, 3, 4, 4)).stride()[1] == 1
