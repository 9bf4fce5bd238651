"""Streams of variable length in the Loom: the length is a code of its own, drawn before all others."""

import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from modaloom.core.distributed import Rows
from modaloom.core.rng import generator
from modaloom.core.types import MASK, CodeShape
from modaloom.diffusion.noise import Noise
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.layout import FieldLayout
from modaloom.loom.likelihood import bits_per_code
from modaloom.loom.loom import Loom
from modaloom.loom.mixture import LENGTH_PROB, TrainingMixture

LONGEST, K = 6, 5
SHAPES = {
    "text": CodeShape((LONGEST,), 1, K, variable=True),
    "image": CodeShape((3,), 1, 4),
    "sound": CodeShape((4, 2), 3, 5, shared=1, variable=True),
}
LAYOUT = FieldLayout(SHAPES)
JOINT = TrainingMixture(joint_prob=1, uncond_prob=0)
WITH_TEXT = (7, 8, 9)
"""Steps whose canvas has the text."""


def codes(n, seed=0):
    draw = torch.Generator().manual_seed(seed)
    found = {}
    for name, s in SHAPES.items():
        found[name] = torch.randint(s.codebook_size, (n, s.num_positions, s.depth), generator=draw)
        if s.shared:
            found[name][..., -s.shared :] = found[name][:, :1, -s.shared :]
        if s.variable:
            least = 1 if s.shared else 0
            ends = torch.randint(least, s.grid[0] + 1, (n, 1, 1), generator=draw) * s.row_size
            found[name].masked_fill_(torch.arange(s.num_positions)[:, None] >= ends, s.padding)
    return found


def loom(process="masked", **config):
    """A Loom whose every parameter is random, so that everything matters."""
    options = LoomConfig(**{"width": 16, "num_layers": 2, "num_heads": 2, "process": process, **config})
    net = Loom(SHAPES, {n: n for n in SHAPES}, {}, options)
    for p in net.parameters():
        nn.init.normal_(p, std=0.4, generator=generator(1, *p.shape))
    return net.eval()


def noise(n, first=0):
    return Noise([generator(0, i) for i in range(first, first + n)])


def everyone(n):
    return {name: torch.ones(n, dtype=torch.bool) for name in SHAPES}


def seen_by(net, act):
    """The canvases that the network of a Loom sees while `act` runs."""
    seen = []
    hook = net.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    act()
    hook.remove()
    return seen


def test_apart_and_together_again():
    truth = codes(20)
    fields = LAYOUT.split(truth)
    assert {key: tuple(state.shape[1:]) for key, state in fields.items()} == {
        "text": (6, 1),
        "text:length": (1, 1),
        "image": (3, 1),
        "sound": (8, 2),
        "sound:length": (1, 1),
        "sound:shared": (1, 1),
    }
    assert {key: s.codebook_size for key, s in LAYOUT.shapes.items() if "length" in key} == {
        "text:length": LONGEST + 1,
        "sound:length": 5,
    }
    assert sorted(LAYOUT.fields_of("sound")) == sorted(key for key in fields if key.startswith("sound"))
    ends = (truth["sound"][..., 0] != 5).sum(1)
    assert torch.equal(2 * fields["sound:length"][:, 0, 0], ends)
    assert torch.equal(LAYOUT.filled(fields)["sound"].sum(1), ends)
    assert all(state.max() < LAYOUT.shapes[key].codebook_size for key, state in fields.items())
    for name, whole in LAYOUT.join(fields).items():
        assert torch.equal(whole, truth[name])
    assert torch.equal(LAYOUT.count("sound", truth["sound"]), 2 * ends + 2)


def test_each_length_has_its_own_table_and_near_lengths_have_near_vectors():
    tables = LAYOUT.tables({"text": "t", "image": "i", "sound": "t"})
    assert tables["text"] == tables["sound"] == "t"
    assert tables["text:length"] != tables["sound:length"]
    (vectors,) = LAYOUT.vectors({name: name for name in SHAPES}, {})["text:length"]
    apart = torch.cdist(vectors, vectors).fill_diagonal_(torch.inf)
    assert (apart.argmin(1) - torch.arange(LONGEST + 1)).abs().unique().tolist() == [1]


def test_batches_are_cut_to_the_longest_that_is_there():
    truth = {"text": codes(3)["text"]}
    truth["text"][:] = torch.tensor([0, 0, K, K, K, K])[:, None]
    truth["text"][2] = 0
    for here, longest in (([1, 1, 1], 6), ([1, 1, 0], 2), ([0, 0, 0], 1)):
        cut = LAYOUT.trim(truth, {"text": torch.tensor(here, dtype=torch.bool)})["text"]
        assert torch.equal(cut, truth["text"][:, :longest])


@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_a_length_is_hidden_at_full_noise_only_and_then_nothing_tells_it(process):
    n, truth = 4000, codes(4000)
    net = loom(process, mixture=TrainingMixture(joint_prob=0.5, full_noise_prob=0.3, uncond_prob=0))
    net.network.forward = lambda canvas, _: {
        key: torch.zeros(*f.state.shape, LAYOUT.shapes[key].codebook_size) for key, f in canvas.items()
    }
    canvases = [
        c
        for step in range(8)
        for c in seen_by(net, lambda s=step: net.loss(truth, everyone(n), generator(s)))
    ]
    with_text = [canvas for canvas in canvases if "text" in canvas]
    assert with_text
    for canvas in with_text:
        codes_, length = canvas["text"], canvas["text:length"]
        wanted, hidden = ~length.known[:, 0, 0], length.t == 1
        assert (codes_.t[hidden] == 1).all()
        assert float((codes_.t == 1)[wanted].float().mean()) == pytest.approx(0.3, abs=0.05)
        assert float(hidden[wanted].float().mean()) == pytest.approx(0.3 * LENGTH_PROB, abs=0.05)
        assert not codes_.valid[hidden].any()
        ends = LAYOUT.split({"text": truth["text"]})["text:length"][:, 0]
        there = torch.arange(codes_.valid.shape[1]) < ends
        assert torch.equal(codes_.valid[~hidden], there[~hidden])
        assert torch.equal(length.state[~hidden, 0], ends[~hidden])
        assert torch.equal(length.t, hidden.float())
        if process == "masked":
            assert (length.state[hidden] == MASK).all()


@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_predicted_lengths_depend_on_what_is_given_alone(process):
    """Other texts, of other lengths: the logits of the length are the same."""
    net, truth, other, found = loom(process), codes(8), codes(8, seed=1), []
    hook = net.network.register_forward_hook(lambda _, inputs, out: found.append((inputs[0], out)))
    for text in (truth["text"], other["text"]):
        net.nelbo(truth | {"text": text}, ["text"], ["image"], generator=generator(0), points=1)
    hook.remove()
    (_, _), (canvas, before), (_, _), (_, after) = found
    assert (canvas["text:length"].t == 1).all()
    assert torch.equal(before["text:length"], after["text:length"])


def test_cutting_a_batch_changes_no_loss(monkeypatch):
    truth, net = codes(16), loom(num_layers=1, mixture=JOINT)
    for name in ("text", "sound"):
        truth[name][:, SHAPES[name].row_size * 2 :] = SHAPES[name].padding
    cut = [net.loss(truth, everyone(16), generator(step)).total for step in WITH_TEXT]
    monkeypatch.setattr(FieldLayout, "trim", lambda _, streams, present: streams)
    whole = [net.loss(truth, everyone(16), generator(step)).total for step in WITH_TEXT]
    torch.testing.assert_close(torch.stack(cut), torch.stack(whole))


def test_who_knows_nothing_pays_the_logarithm_of_the_codebook():
    net = Loom(SHAPES, {n: n for n in SHAPES}, {}, LoomConfig(width=16, num_layers=1, num_heads=2))
    truth = codes(100)
    nats = net.nelbo(truth, ["text", "sound"], ["image"], generator=generator(0), points=64)
    for name, depth in (("text", 1), ("sound", 2)):
        lengths = LAYOUT.split(truth)[f"{name}:length"].flatten()
        counts = lengths * SHAPES[name].row_size * depth + SHAPES[name].shared
        expected = math.log(SHAPES[name].grid[0] + 1) + counts.double().mean() * math.log(5)
        assert float(nats[name].mean()) == pytest.approx(float(expected), rel=0.08)


def test_bits_per_code_are_of_the_codes_that_are_there():
    net = Loom(SHAPES, {n: n for n in SHAPES}, {}, LoomConfig(width=16, num_layers=1, num_heads=2))
    truth = {"text": codes(400)["text"]}
    n = float((truth["text"] != K).sum()) / 400

    class Model:
        loom = net

    found = bits_per_code(Model, truth, {"text": torch.ones(400, dtype=torch.bool)})["bits_alone.text"]
    assert found == pytest.approx((math.log2(LONGEST + 1) + n * math.log2(K)) / (n + 1), rel=0.05)


SAMPLERS = [
    ("masked", "maskgit"),
    ("masked", "ancestral"),
    ("masked", "top_probability"),
    ("masked", "first_hitting"),
    ("masked", "remasking"),
    ("uniform", "ancestral"),
    ("uniform", "remasking"),
]


@pytest.mark.parametrize("guidance", [1.0, 2.0])
@pytest.mark.parametrize(("process", "sampler"), SAMPLERS)
def test_samples_of_different_lengths_are_drawn_together(process, sampler, guidance):
    """Every row has codes up to its end and padding after it, whatever else is in its batch."""
    net, truth = loom(process), codes(12)
    options = CodeSamplingConfig(sampler, steps=3, unconditional_sampler=sampler, guidance=guidance)
    given, want = {"image": truth["image"]}, ["text", "sound"]
    drawn = net.sample(net.canvas(given, want, 12), options, noise(12))
    for name in want:
        s = SHAPES[name]
        ended = drawn[name] == s.padding
        assert torch.equal(ended, ended[..., :1].expand_as(ended))
        assert (ended.long().diff(dim=1) >= 0).all()
        assert (drawn[name] >= 0).all()
        assert len(ended.sum((1, 2)).unique()) > 1
    part = net.canvas({"image": truth["image"][4:6]}, want, 2)
    alone = net.sample(part, options, noise(2, first=4))
    assert all(torch.equal(drawn[name][4:6], alone[name]) for name in want)


@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_the_length_comes_first_and_then_stays(process):
    net, truth = loom(process), codes(6)
    options = CodeSamplingConfig("ancestral", steps=4)
    canvas = net.canvas({"image": truth["image"]}, ["text"], 6)
    first, *rest = seen_by(net, lambda: net.sample(canvas, options, noise(6)))
    assert not first["text"].valid.any()
    assert (first["text:length"].t == 1).all()
    assert len({tuple(view["text:length"].state.flatten().tolist()) for view in rest}) == 1
    for view in rest:
        ends = view["text:length"].state[:, 0]
        assert torch.equal(view["text"].valid, torch.arange(int(ends.max())) < ends)


def test_given_texts_of_any_length_are_shown_as_far_as_they_go():
    net, truth = loom(), codes(5)
    truth["text"][0] = K
    canvas = net.canvas({"text": truth["text"]}, ["image"], 5)
    assert torch.equal(canvas["text"].valid.sum(1), (truth["text"][..., 0] != K).sum(1))
    assert canvas["text:length"].known.all()
    drawn = net.sample(canvas, CodeSamplingConfig(steps=2), noise(5))
    assert torch.equal(drawn["text"], truth["text"])


def test_it_learns_lengths_and_codes():
    """The image's first code is the length of the text, whose codes are all 1 if that is even."""
    shapes = {"text": CodeShape((3,), 1, 2, variable=True), "image": CodeShape((1,), 1, 4)}

    def named(seed):
        image = torch.randint(4, (64, 1, 1), generator=generator(seed))
        where = torch.arange(3)[:, None]
        return {"image": image, "text": torch.where(where < image, (image + 1) % 2, 2)}

    torch.manual_seed(0)
    mixture = TrainingMixture(wanted=("text",), full_noise_prob=0.5, uncond_prob=0.3)
    config = LoomConfig(width=16, num_layers=1, num_heads=2, mixture=mixture)
    net = Loom(shapes, {n: n for n in shapes}, {}, config)
    adam, here = torch.optim.Adam(net.parameters(), 0.03), torch.ones(64, dtype=torch.bool)
    for step in range(160):
        adam.zero_grad()
        net.loss(named(step), dict.fromkeys(shapes, here), generator(0, step)).total.backward()
        adam.step()
    net.eval()
    truth = named(-1)
    bound = net.nelbo(truth, ["text"], ["image"], generator=generator(0), points=16)["text"]
    assert bound.mean().item() == pytest.approx(0, abs=0.2)
    likely = CodeSamplingConfig(temperature=0)
    drawn = net.sample(net.canvas({"image": truth["image"]}, ["text"], 64), likely, noise(64))
    assert (drawn["text"] == truth["text"]).all((1, 2)).float().mean() > 0.95


def test_the_end_of_a_sample_is_stored_as_one_more_code():
    full = CodeShape((3,), 1, 256)
    assert full.storage_type is torch.uint8
    assert replace(full, variable=True).storage_type is torch.uint16


@pytest.mark.parametrize("process", ["masked", "uniform"])
def test_a_rank_has_the_noise_of_its_rows_however_long_those_of_the_others_are(process):
    truth, net = codes(16), loom(process, mixture=JOINT)
    truth["text"][:8, 2:] = K
    every = {"mean": lambda x: x.mean(0), "sum": lambda x: x}
    for step in WITH_TEXT:
        (whole,) = seen_by(net, lambda s=step: net.loss(truth, everyone(16), generator(s)))
        for first in (0, 8):
            own = {name: c[first : first + 8] for name, c in truth.items()}
            rank = SimpleNamespace(rows=lambda n, i=first: Rows(i, n, 16), **every)
            (part,) = seen_by(net, lambda s=step, o=own, r=rank: net.loss(o, everyone(8), generator(s), r))
            assert "text" in part
            for key, f in part.items():
                there = whole[key].state[first : first + 8, : f.state.shape[1]]
                assert torch.equal(f.state[f.valid], there[f.valid])
                torch.testing.assert_close(f.t, whole[key].t[first : first + 8])
