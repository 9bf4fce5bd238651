"""Codes that all positions of a stream share are one token, however it is asked."""

import math

import pytest
import torch
from torch import nn

from modaloom.core.rng import generator
from modaloom.core.types import MASK, CodeShape
from modaloom.diffusion.noise import Noise
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.layout import FieldLayout
from modaloom.loom.loom import Loom
from modaloom.loom.mixture import TrainingMixture

SHAPES = {"picture": CodeShape((2, 3), 3, 5, shared=1), "word": CodeShape((3,), 1, 7)}
LAYOUT = FieldLayout(SHAPES)


def codes(n, seed=0):
    draw = torch.Generator().manual_seed(seed)
    found = {
        name: torch.randint(0, 5, (n, s.num_positions, s.depth), generator=draw) for name, s in SHAPES.items()
    }
    found["picture"][..., 2] = found["picture"][:, :1, 2]
    return found


def loom(process="masked", **config):
    options = LoomConfig(width=16, num_layers=1, num_heads=2, process=process, **config)
    vectors = {"pictures": torch.randn(3, 5, 4, generator=generator(0))}
    return Loom(SHAPES, {"picture": "pictures", "word": "words"}, vectors, options).eval()


def random(net):
    for p in net.parameters():
        nn.init.normal_(p, std=0.4, generator=generator(1, *p.shape))
    return net


def test_shapes_and_counts():
    assert LAYOUT.shapes == {
        "picture": CodeShape((2, 3), 2, 5),
        "picture:shared": CodeShape((1,), 1, 5),
        "word": CodeShape((3,), 1, 7),
    }
    assert (
        SHAPES["picture"].num_codes
        == sum(LAYOUT.shapes[part].num_codes for part in LAYOUT.fields_of("picture"))
        == 13
    )


def test_a_shared_code_is_one_token_and_a_length_another():
    everywhere = {name: torch.tensor([True, True]) for name in SHAPES}
    assert LAYOUT.num_tokens(codes(2), everywhere).tolist() == [6 + 1 + 3] * 2
    layout = FieldLayout({"word": CodeShape((4,), 1, 7, variable=True), "picture": SHAPES["picture"]})
    words = torch.tensor([[3, 7, 7, 7], [1, 2, 3, 4], [0, 0, 0, 0]])[..., None]
    present = {"word": torch.tensor([True, True, False]), "picture": torch.tensor([True, False, True])}
    streams = {"word": words, "picture": codes(3)["picture"]}
    assert layout.num_tokens(streams, present).tolist() == [(1 + 1) + 7, 4 + 1, 7]


def test_apart_and_together_again():
    whole = codes(4)
    fields = LAYOUT.split(whole)
    assert {part: tuple(state.shape[1:]) for part, state in fields.items()} == {
        "picture": (6, 2),
        "picture:shared": (1, 1),
        "word": (3, 1),
    }
    for name, found in LAYOUT.join(fields).items():
        assert torch.equal(found, whole[name])
    recoloured = dict(whole, picture=whole["picture"] + torch.tensor([0, 0, 1]))
    other = LAYOUT.split(recoloured)
    assert [part for part in fields if not torch.equal(fields[part], other[part])] == ["picture:shared"]


def test_each_depth_keeps_its_own_vectors():
    tables = loom().network.code_embed
    for part, depths in (("pictures", 2), ("pictures:shared", 1)):
        assert tables[part].vectors.shape == (depths * 6, 4)
    first, last = tables["pictures"].vectors, tables["pictures:shared"].vectors
    assert not torch.equal(first[:6], last)


@pytest.mark.parametrize(("process", "sampler"), [("masked", "maskgit"), ("uniform", "ancestral")])
@pytest.mark.parametrize("given", [(), ("word",)])
def test_positions_never_disagree(process, sampler, given):
    net, truth = random(loom(process)), codes(6)
    canvas = net.canvas({name: truth[name] for name in given}, ["picture"], 6)
    noise = Noise([generator(0, i) for i in range(6)])
    drawn = net.sample(canvas, CodeSamplingConfig(sampler, steps=4, unconditional_sampler=sampler), noise)[
        "picture"
    ]
    assert drawn.shape == (6, 6, 3)
    assert (drawn[..., 2] == drawn[:, :1, 2]).all()
    assert (drawn[..., :2] != drawn[:, :1, :2]).any()


@pytest.mark.parametrize("process", ["masked", "uniform"])
@pytest.mark.parametrize("depth", [1, 2])
def test_shared_codes_come_first_from_what_is_given_alone(process, depth):
    """The others are drawn while they stand still; each of their depths is drawn in a step of its own."""
    shapes = {**SHAPES, "picture": CodeShape((2, 3), 2 + depth, 5, shared=depth)}
    tables = {"picture": "pictures", "word": "words"}
    net = random(
        Loom(shapes, tables, {}, LoomConfig(width=16, num_layers=1, num_heads=2, process=process)).eval()
    )
    seen, forward = [], net.network.forward
    net.network.forward = lambda canvas, _: seen.append(canvas) or forward(canvas)
    canvas = net.canvas({"word": codes(4)["word"]}, ["picture"], 4)
    noise = Noise([generator(0, i) for i in range(4)])
    drawn = net.sample(canvas, CodeSamplingConfig("ancestral", steps=5), noise)["picture"][:, :1, 2:]
    first, rest = seen[:depth], seen[depth:]
    for step, before in enumerate(first):
        assert torch.equal(before["picture"].state, first[0]["picture"].state)
        assert torch.equal(before["picture:shared"].state[..., :step], drawn[..., :step])
    assert rest
    for before in rest:
        assert torch.equal(before["picture:shared"].state, drawn)
        assert not before["picture:shared"].known.any()
        assert before["picture:shared"].t.max() == 0


def test_a_shared_code_that_is_known_stays():
    net, truth = random(loom()), codes(4)
    canvas = net.canvas({}, ["picture"], 4)
    canvas["picture:shared"] = net.canvas(truth, [], 4)["picture:shared"]
    drawn = net.sample(canvas, CodeSamplingConfig(steps=3), Noise([generator(0, i) for i in range(4)]))[
        "picture"
    ]
    assert torch.equal(drawn[..., 2], truth["picture"][..., 2])


def test_a_given_picture_is_shown_whole():
    net, truth = loom(), codes(2)
    canvas = net.canvas({"picture": truth["picture"].reshape(2, 2, 3, 3)}, ["word"], 2)
    assert torch.equal(canvas["picture"].state, truth["picture"][..., :2])
    assert torch.equal(canvas["picture:shared"].state, truth["picture"][:, :1, 2:])
    assert (canvas["word"].state == MASK).all()


def test_who_knows_nothing_pays_for_a_shared_code_once():
    nats = loom().nelbo(codes(3), ["picture"], ["word"], generator=generator(0), points=64)
    assert nats["picture"].mean().item() == pytest.approx(13 * math.log(5), rel=0.1)
    loss = loom(mixture=TrainingMixture(joint_prob=1, full_noise_prob=1, uncond_prob=0)).loss(
        codes(8), {name: torch.ones(8, dtype=torch.bool) for name in SHAPES}, generator(0)
    )
    assert [float(bits) for bits in loss.parts.values()] == pytest.approx(
        [math.log2(SHAPES[name.removeprefix("bits.")].codebook_size) for name in loss.parts]
    )


def test_the_logged_bits_count_what_is_hidden():
    """Half masked or not, a code costs who knows nothing the same."""
    everyone = torch.ones(512, dtype=torch.bool)
    loss = loom(mixture=TrainingMixture(joint_prob=1, full_noise_prob=0, noise_power=1, uncond_prob=0)).loss(
        codes(512), dict.fromkeys(SHAPES, everyone), generator(0)
    )
    for name, bits in loss.parts.items():
        assert float(bits) == pytest.approx(math.log2(SHAPES[name.removeprefix("bits.")].codebook_size))


def test_it_learns_who_shares_what():
    """The word names the shared code: with it nothing is left to guess, without it that one code."""

    def named(seed):
        found = codes(64, seed)
        found["picture"][..., :2] = 0
        return found | {"word": found["picture"][:, :3, 2:].clone()}

    torch.manual_seed(0)
    net = loom(mixture=TrainingMixture(uncond_prob=0.3)).train()
    adam, everyone = torch.optim.Adam(net.parameters(), 0.01), torch.ones(64, dtype=torch.bool)
    for step in range(250):
        adam.zero_grad()
        net.loss(named(step), dict.fromkeys(SHAPES, everyone), generator(0, step)).total.backward()
        adam.step()
    net.eval()
    for given, nats in (["word"], 0), ([], math.log(5)):
        bound = net.nelbo(named(999), ["picture"], given, generator=generator(0), points=16)["picture"]
        assert bound.mean().item() == pytest.approx(nats, abs=0.2)
