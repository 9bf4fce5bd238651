"""The canvas transformer: what a token knows of, and what it must not hear."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from modaloom.core.types import MASK, CodeShape, Field
from modaloom.networks.transformer import CanvasTransformer, CodeEmbedding, PositionalEmbedding

SHAPES = {
    "image": CodeShape((2, 3), 2, 5),
    "image.gray": CodeShape((2, 3), 2, 5),
    "text": CodeShape((4,), 1, 9),
}
TABLES = {"image": "image", "image.gray": "image", "text": "text"}
B = 3


def network(seed=0, **options):
    """A small one with random weights everywhere, in float64."""
    draw = torch.Generator().manual_seed(seed)
    net = CanvasTransformer(
        SHAPES, TABLES, {"image": torch.randn(2, 5, 4)}, width=16, depth=2, heads=2, **options
    )
    for p in net.parameters():
        nn.init.normal_(p, std=0.4, generator=draw)
    return net.double()


def field(name, *, known=False, valid=True, seed=0):
    shape = SHAPES[name]
    state = torch.randint(
        0,
        shape.codebook_size,
        (B, shape.num_positions, shape.depth),
        generator=torch.Generator().manual_seed(seed),
    )
    flags = torch.full_like(state, known, dtype=torch.bool)
    return Field(state, flags, torch.full(state.shape[:2], valid), torch.full((B,), 1.0 - known))


def canvas(**options):
    return {name: field(name, **options) for name in SHAPES}


def shifted(f, size, rows=slice(None)):
    state = f.state.clone()
    state[rows] = (state[rows] + 1) % size
    return replace(f, state=state)


def same(a, b):
    """Equal up to the order of a sum."""
    torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-9)


def test_logits_of_every_stream_have_its_codes():
    logits = network()(canvas())
    assert {name: tuple(y.shape) for name, y in logits.items()} == {
        name: (B, s.num_positions, s.depth, s.codebook_size) for name, s in SHAPES.items()
    }
    assert all(y.dtype == torch.float32 for y in logits.values())


def test_a_fresh_network_says_that_all_codes_are_equally_likely():
    net = CanvasTransformer(SHAPES, TABLES, {}, width=16, depth=2, heads=2)
    assert all(not y.any() for y in net(canvas()).values())


@pytest.mark.parametrize("encoder_decoder", [False, True])
def test_the_order_of_the_streams_means_nothing(encoder_decoder):
    net = network(encoder_decoder=encoder_decoder)
    fields = canvas() | {"text": field("text", known=True)}
    forward, backward = net(fields), net(dict(reversed(fields.items())))
    for name in SHAPES:
        torch.testing.assert_close(forward[name], backward[name], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("encoder_decoder", [False, True])
def test_a_stream_that_no_sample_has_is_as_one_left_out(encoder_decoder):
    net, fields = network(encoder_decoder=encoder_decoder), canvas()
    without = net({name: f for name, f in fields.items() if name != "text"})
    absent = net(fields | {"text": field("text", valid=False)})
    for name in without:
        torch.testing.assert_close(absent[name], without[name], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(net(fields)["image"], without["image"])


def test_padding_is_never_heard_and_only_by_the_sample_that_has_it():
    net, fields = network(), canvas()
    valid = torch.ones(B, 4, dtype=torch.bool)
    valid[1, 2:] = False
    padded = replace(fields["text"], valid=valid)
    other = padded.state.clone()
    other[1, 2:] = (other[1, 2:] + 1) % 9
    before, after = (net(fields | {"text": f}) for f in (padded, replace(padded, state=other)))
    assert torch.equal(before["image"], after["image"])
    assert torch.equal(before["text"][1, :2], after["text"][1, :2])
    assert not torch.allclose(before["text"][1, 2:], after["text"][1, 2:])
    shown = net(fields)
    torch.testing.assert_close(before["image"][0], shown["image"][0], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(before["image"][1], shown["image"][1])


def test_samples_do_not_hear_each_other():
    net, fields = network(), canvas()
    before, after = net(fields), net(fields | {"text": shifted(fields["text"], 9, rows=0)})
    assert torch.equal(before["image"][1:], after["image"][1:])
    assert not torch.allclose(before["image"][0], after["image"][0])


@pytest.mark.parametrize("encoder_decoder", [True, False])
def test_given_tokens_hear_of_wanted_ones_unless_separate(encoder_decoder):
    net = network(encoder_decoder=encoder_decoder)
    fields = canvas() | {"text": field("text", known=True)}
    before, after = net(fields), net(fields | {"image": shifted(fields["image"], 5)})
    assert torch.equal(before["text"], after["text"]) is encoder_decoder
    heard = net(fields | {"text": shifted(fields["text"], 9)})
    assert not torch.allclose(heard["image"], before["image"])


def test_a_given_token_is_told_apart_from_the_same_code_drawn():
    net, fields = network(), canvas()
    given = net(fields | {"text": field("text", known=True)})
    assert not torch.allclose(given["image"], net(fields)["image"])


def test_streams_of_one_tokenizer_share_its_table_and_differ_in_place():
    net, f = network(), field("image")
    assert len(net.code_embed) == 2
    assert not torch.allclose(net({"image": f})["image"], net({"image.gray": f})["image.gray"])


def test_hidden_matrices_are_the_blocks_own():
    net = network()
    found = net.hidden_matrices()
    assert len(found) == 2 * 4
    assert all(16 in p.shape and p.ndim == 2 for p in found)
    assert not {id(p) for p in found} & {id(p) for p in net.code_embed.parameters()}


@pytest.mark.parametrize("vectors", [None, torch.randn(3, 5, 4)])
def test_every_code_of_every_depth_and_the_mask_embed_differently(vectors):
    table = CodeEmbedding(3, 5, 16, vectors)
    states = torch.zeros(3, 6, 3, dtype=torch.int64)
    for depth in range(3):
        states[depth, :, depth] = torch.tensor([MASK, 0, 1, 2, 3, 4])
    rows = table(states)
    for depth in range(3):
        apart = torch.cdist(rows[depth], rows[depth]) + torch.eye(6)
        assert apart.min() > 1e-2
    without_zero = rows[:, [0, 2, 3, 4, 5]].flatten(0, 1)  # code 0 of each depth is the common (0, 0, 0)
    assert (torch.cdist(without_zero, without_zero) + torch.eye(15)).min() > 1e-2


@pytest.mark.parametrize("scale", [1e-2, 1.0, 300.0])
def test_codebook_vectors_enter_depth_beside_depth_and_a_masked_code_adds_none(scale):
    vectors = torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    vectors = (
        vectors / vectors.square().mean((1, 2), keepdim=True).sqrt() * torch.tensor([16.0, 1])[:, None, None]
    )
    table = CodeEmbedding(2, 5, 16, scale * vectors)
    nn.init.zeros_(table.embed.weight)
    closer = vectors / torch.tensor([4.0, 1])[:, None, None]  # lengths 16 : 1 become 4 : 1
    unit, nothing = closer / closer.square().mean().sqrt(), torch.zeros(4)
    state = torch.tensor([[[3, 1], [3, MASK], [MASK, MASK]]])
    beside = [(unit[0, 3], unit[1, 1]), (unit[0, 3], nothing), (nothing, nothing)]
    expected = torch.stack([torch.cat(pair) for pair in beside]) @ table.project.weight.T
    torch.testing.assert_close(table(state)[0], expected)
    assert table.vectors.view(2, 6, 4)[:, :5].square().mean() == pytest.approx(1, rel=1e-5)


def test_logits_of_a_depth_come_from_its_own_head():
    table = CodeEmbedding(2, 5, 16, None)
    with torch.no_grad():
        table.head.bias[5 + 3] = 7  # depth 1, code 3
    y = table.logits(torch.zeros(1, 4, 16))
    assert torch.equal(y[0, 0].nonzero(), torch.tensor([[1, 3]]))


def test_a_place_is_the_stream_plus_one_vector_an_axis():
    place = PositionalEmbedding((2, 3), 4)
    rows, columns = place.axes
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(place()[3 * i + j], place.stream + rows[i] + columns[j])
