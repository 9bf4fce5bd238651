"""The Loom: what its loss counts, and how it draws."""

import math
from dataclasses import replace
from types import MappingProxyType

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot
from toy_tokens import SHAPES, codes, loom

from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.core.types import MASK
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers import CODE_SAMPLERS
from modaloom.loom import loom as loom_module
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.loom import Loom
from modaloom.loom.mixture import TrainingMixture

EVERYONE = MappingProxyType({name: torch.ones(8, dtype=torch.bool) for name in SHAPES})
ALL_WANTED = TrainingMixture(joint_prob=1, full_noise_prob=1, uncond_prob=0)


class Answers(nn.Module):
    """A denoiser that knows the answers; keeps the canvases that it saw."""

    def __init__(self, truth, sure=60.0):
        super().__init__()
        self.truth, self.sure, self.seen = truth, sure, []
        self.where = nn.Parameter(torch.zeros(()))  # tells the Loom its device

    def forward(self, canvas, augmented=None):
        self.seen.append(canvas)
        return {n: self.sure * one_hot(self.truth[n], SHAPES[n].codebook_size).float() for n in canvas}


def answering(truth, **config):
    net = loom(**config)
    net.network = Answers(truth)
    return net


def fresh(**config):
    return Loom(SHAPES, {n: n for n in SHAPES}, {}, LoomConfig(width=16, num_layers=1, num_heads=2, **config))


@pytest.mark.parametrize("step", range(5))
def test_who_knows_the_answers_loses_nothing(step):
    truth = codes(8)
    loss = answering(truth).loss(truth, EVERYONE, generator(0, step))
    assert loss.total.item() == pytest.approx(0, abs=1e-6)
    wrong = answering({n: (c + 1) % SHAPES[n].codebook_size for n, c in truth.items()})
    assert wrong.loss(truth, EVERYONE, generator(0, step)).total.item() > 5


def test_who_knows_nothing_pays_the_logarithm_of_the_codebook():
    loss = fresh(mixture=ALL_WANTED).loss(codes(8), EVERYONE, generator(0))
    sizes = [SHAPES[name.removeprefix("bits.")].codebook_size for name in loss.parts]
    assert [float(bits) for bits in loss.parts.values()] == pytest.approx([*map(math.log2, sizes)])
    assert loss.total.item() == pytest.approx(sum(map(math.log, sizes)))


def test_given_streams_are_shown_whole_and_wanted_ones_alone_are_paid_for():
    truth, net = codes(8), None
    for step in range(20):
        net = answering(truth, mixture=TrainingMixture(joint_prob=0, full_noise_prob=1, uncond_prob=0))
        loss = net.loss(truth, EVERYONE, generator(0, step))
        (canvas,) = net.network.seen
        assert set(loss.parts) == {f"bits.{name}" for name in canvas}
        wanted = torch.stack([f.t > 0 for f in canvas.values()], 1)
        assert (wanted.sum(1) == 1).all()
        for name, f in canvas.items():
            given = f.t == 0
            assert torch.equal(f.known, given[:, None, None].expand_as(f.state))
            assert torch.equal(f.state[given], truth[name][given])
            assert (f.state[~given] == MASK).all()


def test_of_a_target_that_is_kept_in_part_that_part_is_shown_and_the_rest_is_paid_for():
    """`middle` has two rows of two positions: the first or the last one is kept, or none."""
    truth, seen = codes(8), set()
    for step in range(20):
        net = answering(truth, mixture=replace(ALL_WANTED, kept_prob=1.0))
        loss = net.loss(truth, EVERYONE, generator(0, step))
        (canvas,) = net.network.seen
        for name, f in canvas.items():
            assert (f.t == 1).all()
            assert not f.given.any()
            assert torch.equal(f.state, truth[name].masked_fill(~f.known, MASK))
        seen |= (
            {tuple(row) for row in canvas["middle"].known.all(-1).tolist()} if "middle" in canvas else set()
        )
        assert loss.total.item() == pytest.approx(0, abs=1e-6)
    assert seen == {(False,) * 4, (True, True, False, False), (False, False, True, True)}
    lost = fresh(mixture=replace(ALL_WANTED, kept_prob=1.0)).loss(truth, EVERYONE, generator(0))
    sizes = [SHAPES[name.removeprefix("bits.")].codebook_size for name in lost.parts]
    assert [float(bits) for bits in lost.parts.values()] == pytest.approx([*map(math.log2, sizes)])


def test_the_codes_of_missing_streams_mean_nothing():
    present = {name: torch.rand(8, generator=generator(1, name)) < 0.6 for name in SHAPES}
    truth = codes(8)
    other = {
        n: torch.where(present[n][:, None, None], c, (c + 1) % SHAPES[n].codebook_size)
        for n, c in truth.items()
    }
    net = loom()
    for step in range(10):
        losses, gradients = [], []
        for values in (truth, other):
            loss = net.loss(values, present, generator(0, step))
            grads = torch.autograd.grad(loss.total, [*net.network.blocks.parameters()])
            losses.append([loss.total, *loss.parts.values()])
            gradients.append(grads)
        assert all(torch.equal(a, b) for a, b in zip(*losses))
        assert all(torch.equal(a, b) for a, b in zip(*gradients))


def test_parts_are_means_over_those_who_have_the_stream():
    """Half of the rows lack everything: the figures are of the other half, undiluted."""
    half = torch.arange(8) < 4
    loss = fresh(mixture=ALL_WANTED).loss(codes(8), dict.fromkeys(SHAPES, half), generator(0))
    for name, bits in loss.parts.items():
        assert float(bits) == pytest.approx(
            math.log2(SHAPES[name.removeprefix("bits.")].codebook_size), rel=1e-6
        )


def test_a_step_is_a_function_of_its_generator():
    net = loom()
    first, again, other = (net.loss(codes(8), EVERYONE, generator(0, s)).total for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("sampler", ["maskgit", "ancestral"])
@pytest.mark.parametrize("steps", [1, 6])
def test_sampling_keeps_what_is_given_and_leaves_nothing_masked(sampler, steps):
    net, truth = loom(), codes(4)
    canvas = net.canvas({"middle": truth["middle"]}, ["long", "short"], 4)
    drawn = net.sample(canvas, CodeSamplingConfig(sampler, steps), noise(4))
    assert set(drawn) == set(SHAPES)
    assert torch.equal(drawn["middle"], truth["middle"])
    for name in ("long", "short"):
        assert drawn[name].min() >= 0
        assert drawn[name].max() < SHAPES[name].codebook_size
        assert len(drawn[name].unique(dim=0)) > 1


def test_short_streams_are_drawn_first_and_then_given_to_the_long_ones():
    truth = codes(4)
    net = answering(truth)
    canvas = net.canvas({"middle": truth["middle"]}, ["long", "short"], 4)
    drawn = net.sample(canvas, CodeSamplingConfig(steps=3), noise(4))
    assert all(torch.equal(drawn[name], truth[name]) for name in SHAPES)
    views = [set(view) for view in net.network.seen]
    turn = views.index(set(SHAPES))
    assert turn > 0
    assert all(view == {"middle", "short"} for view in views[:turn])
    for view in net.network.seen[turn:]:
        assert view["short"].known.all()
        assert not view["short"].t.any()
        assert torch.equal(view["short"].state, truth["short"])


def test_only_the_first_stream_from_nothing_takes_the_opening_sampler(monkeypatch):
    used = []

    def spy(name, sampler):
        def run(denoise, process, canvas, times, **options):
            used.append((name, len(canvas)))
            return sampler.fns["masked"](denoise, process, canvas, times, **options)

        return replace(sampler, fns={"masked": run})

    monkeypatch.setattr(loom_module, "CODE_SAMPLERS", {n: spy(n, s) for n, s in CODE_SAMPLERS.items()})
    net, options = loom(), CodeSamplingConfig("maskgit", 3, unconditional_sampler="ancestral")
    net.sample(net.canvas({}, ["long", "short"], 4), options, noise(4))
    assert used == [("ancestral", 1), ("maskgit", 2)]
    used.clear()
    net.sample(net.canvas({"middle": codes(4)["middle"]}, ["short"], 4), options, noise(4))
    assert used == [("maskgit", 2)]


def test_guidance_asks_without_the_given_streams_too():
    truth = codes(4)
    for scale, expected in ((1.0, {2}), (2.0, {1, 2}), (0.0, {1})):
        net = answering(truth)
        canvas = net.canvas({"middle": truth["middle"]}, ["short"], 4)
        net.sample(canvas, CodeSamplingConfig(steps=3, guidance=scale), noise(4))
        assert {len(view) for view in net.network.seen} == expected


def test_temperature_zero_needs_no_luck():
    net, truth = loom(), codes(4)
    canvas = net.canvas({"middle": truth["middle"]}, ["short"], 4)
    cold, same, warm = (
        net.sample(canvas, CodeSamplingConfig("ancestral", 1, temperature=t), noise(4, seed))["short"]
        for t, seed in ((0.0, 0), (0.0, 1), (1.0, 1))
    )
    assert torch.equal(cold, same)
    assert not torch.equal(cold, warm)


def test_the_bound_is_exact_for_who_knows_and_for_who_does_not():
    truth = codes(64)
    sure = answering(truth).nelbo(truth, ["long"], ["short"], generator=generator(0))
    assert set(sure) == {"long"}
    assert sure["long"].abs().max() < 1e-5
    unsure = fresh().nelbo(truth, ["long"], ["short"], generator=generator(0), points=64)
    assert float(unsure["long"].mean()) == pytest.approx(12 * math.log(7), rel=0.05)


def test_the_bound_shows_the_given_and_leaves_out_the_rest():
    truth = codes(4)
    net = answering(truth)
    net.nelbo(truth, ["long"], ["short"], generator=generator(0), points=2)
    for view in net.network.seen:
        assert set(view) == {"long", "short"}
        assert torch.equal(view["short"].state, truth["short"])
        assert (view["long"].t > 0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sampler": "maskgid"}, "did you mean 'maskgit'"),
        ({"steps": 0}, "steps is 0"),
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"guidance": -1.0}, "guidance is -1"),
        ({"choice_temperature": -1.0}, "choice_temperature is -1"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"guidance": math.inf}, "guidance is inf"),
    ],
)
def test_sampling_out_of_range_is_refused(wrong, message):
    with pytest.raises(BadValue, match=message):
        CodeSamplingConfig(**wrong)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"num_layers": 0}, {"num_heads": 0}, {"width": 10}])
def test_sizes_that_make_no_network_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(BadValue, match=rf"^{name} is {wrong[name]}; it must be "):
        LoomConfig(**wrong)


def test_an_unknown_process_or_stream_is_refused():
    with pytest.raises(BadValue, match="did you mean 'masked'"):
        fresh(process="maskd")
    with pytest.raises(BadValue, match="did you mean 'long'"):
        fresh(mixture=TrainingMixture(wanted=("lng",)))


def noise(n, seed=0):
    return Noise([generator(seed, i) for i in range(n)])
