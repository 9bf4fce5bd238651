"""Streams of variable length in the transformer: what is not there costs nothing and changes nothing."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from modaloom.core.errors import BadValue
from modaloom.core.types import CodeShape, Field
from modaloom.networks.transformer import CanvasTransformer

LONGEST = 10
SHAPES = {"image": CodeShape((2, 2), 2, 5), "text": CodeShape((LONGEST,), 1, 9, variable=True)}
LENGTHS = torch.tensor([10, 3, 0, 6, 3])


def network(shapes=SHAPES, **options):
    draw = torch.Generator().manual_seed(0)
    net = CanvasTransformer(shapes, {n: n for n in shapes}, {}, width=16, depth=2, heads=2, **options)
    for p in net.parameters():
        nn.init.normal_(p, std=0.3, generator=draw)
    return net.double()


def field(name, *, lengths=None, known=False, positions=None):
    shape, n = SHAPES[name], len(LENGTHS)
    L = positions or shape.num_positions
    draw = torch.Generator().manual_seed(len(name))
    state = torch.randint(shape.codebook_size, (n, L, shape.depth), generator=draw)
    valid = torch.ones(n, L, dtype=torch.bool) if lengths is None else torch.arange(L) < lengths[:, None]
    return Field(state, torch.full_like(state, known, dtype=torch.bool), valid, torch.full((n,), 0.5))


def rows(f, row, length):
    return Field(
        f.state[[row], :length], f.known[[row], :length], f.valid[[row], :length], f.t[[row]], f.codebook_size
    )


@pytest.mark.parametrize("encoder_decoder", [False, True])
def test_a_batch_of_lengths_is_each_row_on_its_own(encoder_decoder):
    net = network(encoder_decoder=encoder_decoder)
    canvas = {"image": field("image", known=True), "text": field("text", lengths=LENGTHS)}
    canvas["image"].valid[4] = False
    logits = net(canvas)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = {"text": rows(canvas["text"], row, length)} if length else {}
        alone |= {"image": rows(canvas["image"], row, 4)} if row != 4 else {}
        for name, expected in net(alone).items():
            found = logits[name][[row], : expected.shape[1]]
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
        assert not logits["text"][row, length:].any()


def test_only_valid_tokens_go_through_the_blocks():
    net, seen = network(), []
    for block in net.blocks:
        block.mlp.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[:2].numel()))
    net({"image": field("image"), "text": field("text", lengths=LENGTHS)})
    assert seen == [4 * len(LENGTHS) + int(LENGTHS.sum())] * 2


def test_a_full_batch_is_not_packed():
    net = network()
    net._packed = None  # would fail
    full = field("text", lengths=torch.full((5,), LONGEST))
    assert net({"text": full})["text"].shape == (5, LONGEST, 1, 9)


def test_positions_are_relative_and_go_past_the_longest():
    """Fields of the stream alone, moved by some positions; and twice as many as the shape has."""
    net = network()
    far = field("text", positions=2 * LONGEST)
    assert net({"text": far})["text"].shape[1] == 2 * LONGEST
    lengths = torch.full((5,), 6)
    near = net({"text": field("text", lengths=lengths)})["text"][:, :6]
    moved = field("text", positions=20)
    start = field("text").state[:, :6]
    moved.state[:, 9:15] = start
    valid = (torch.arange(20) >= 9) & (torch.arange(20) < 15)
    there = net({"text": replace(moved, valid=valid.expand(5, 20))})["text"][:, 9:15]
    torch.testing.assert_close(there, near, atol=1e-5, rtol=1e-5)
    swapped = field("text", lengths=lengths)
    swapped.state[:, :2] = swapped.state[:, :2].flip(1)
    assert not torch.allclose(net({"text": swapped})["text"][:, 2:6], near[:, 2:6], atol=1e-3)


def test_positions_of_a_grid_of_variable_length_are_rows_of_its_other_axes():
    net = network({"sound": CodeShape((LONGEST, 3), 1, 9, variable=True)})
    (place,) = net.pos_embed["sound"].axes
    assert place.shape == (3, 16)
    canvas = {"sound": field("text", positions=12)}
    assert net(canvas)["sound"].shape == (5, 12, 1, 9)
    assert net._rotary(canvas).sin[:, 0].double().asin()[:6].tolist() == pytest.approx(
        [0, 0, 0, 1, 1, 1], abs=1e-5
    )


def test_gradients_reach_valid_positions_only():
    net = network()
    canvas = {"text": field("text", lengths=LENGTHS)}
    net(canvas)["text"].square().sum().backward()
    used = {int(c) for row, n in zip(canvas["text"].state, LENGTHS) for c in row[:n, 0]}
    moved = net.code_embed["text"].embed.weight.grad.abs().sum(1) > 0
    assert {int(i) for i in moved.nonzero()} == used


def test_heads_of_an_odd_number_of_channels_are_refused():
    with pytest.raises(BadValue, match="even number of channels, not 6 / 2; change the width"):
        CanvasTransformer(SHAPES, {n: n for n in SHAPES}, {}, width=6, depth=1, heads=2)
