"""A Loom whose noise is random codes: it starts from noise, knows its level, and learns."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from toy_tokens import SHAPES, codes, loom

from modaloom.core.errors import BadValue
from modaloom.core.rng import generator
from modaloom.core.types import CodeShape
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers import CODE_SAMPLERS
from modaloom.loom.config import CodeSamplingConfig, LoomConfig
from modaloom.loom.loom import Loom
from modaloom.loom.mixture import TrainingMixture

SIZE, STEPS = 4, 400
PAIR = {name: CodeShape((3,), 1, SIZE) for name in "ab"}
FITTING = [name for name, sampler in CODE_SAMPLERS.items() if "uniform" in sampler.fns]


def noise(n, seed=0):
    return Noise([generator(seed, i) for i in range(n)])


def seen_by(net, act):
    """The canvases that the network of a Loom sees while `act` runs."""
    seen = []
    hook = net.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    act()
    hook.remove()
    return seen


def test_the_walk_starts_from_random_codes_and_keeps_what_is_given():
    net, truth = loom(process="uniform"), codes(64)
    canvas = net.canvas({"middle": truth["middle"]}, ["long"], 64)
    first, *rest = seen_by(net, lambda: net.sample(canvas, CodeSamplingConfig(steps=3), noise(64)))
    shares = first["long"].state.flatten().bincount() / first["long"].state.numel()
    torch.testing.assert_close(shares, torch.full((7,), 1 / 7), atol=0.05, rtol=0)
    assert len(rest) == 2
    for s, view in zip((1, 2 / 3, 1 / 3), (first, *rest), strict=True):
        assert torch.equal(view["middle"].state, truth["middle"])
        assert (view["middle"].t == 0).all()
        torch.testing.assert_close(view["long"].t, torch.full((64,), float(s)))


def test_a_training_step_replaces_codes_at_the_rate_of_their_level():
    net, truth = (
        loom(process="uniform", mixture=TrainingMixture(joint_prob=0, full_noise_prob=0, uncond_prob=0)),
        codes(512),
    )
    everyone = {name: torch.ones(512, dtype=torch.bool) for name in SHAPES}
    (canvas,) = seen_by(net, lambda: net.loss(truth, everyone, generator(0)))
    for name, field in canvas.items():
        changed = (field.state != truth[name]).float().mean((1, 2))
        expected = field.t * (1 - 1 / SHAPES[name].codebook_size)
        assert float((changed - expected).mean()) == pytest.approx(0, abs=0.02)
        assert torch.equal(field.state[field.t == 0], truth[name][field.t == 0])


def test_the_network_is_told_the_level_and_only_where_the_process_hides_it():
    net, truth = loom(process="uniform"), codes(4)
    canvas = net.canvas({"middle": truth["middle"]}, ["short"], 4)
    canvas["short"] = replace(canvas["short"], state=truth["short"])
    early, late = (
        net.network({**canvas, "short": replace(canvas["short"], t=torch.full((4,), t))})["short"]
        for t in (0.2, 0.9)
    )
    assert (early - late).abs().max() > 0.1
    assert loom(process="masked").network.time_embed is None


def test_what_a_code_says_of_itself_is_added_to_what_the_network_says():
    """At t = 0.2 of 5 codes the own one gains log(1 + 5 · 0.8 / 0.2)."""
    net, truth = loom(process="uniform"), codes(4)
    canvas = net.canvas({}, ["short"], 4)
    field = replace(canvas["short"], state=truth["short"], t=torch.full((4,), 0.2))
    gain = net({"short": field})["short"] - net.network({"short": field})["short"]
    expected = math.log(21) * nn.functional.one_hot(truth["short"], 5)
    torch.testing.assert_close(gain, expected.to(gain))


@pytest.mark.parametrize("sampler", FITTING)
def test_samples_do_not_depend_on_their_neighbours(sampler):
    net, truth = loom(process="uniform"), codes(4)
    options = CodeSamplingConfig(sampler, 6, unconditional_sampler=sampler, top_p=0.9, guidance=1.5)
    whole = net.sample(net.canvas({"middle": truth["middle"]}, ["long", "short"], 4), options, noise(4))
    part = net.canvas({"middle": truth["middle"][1:3]}, ["long", "short"], 2)
    alone = net.sample(part, options, Noise([generator(0, 1), generator(0, 2)]))
    assert all(torch.equal(whole[name][1:3], alone[name]) for name in SHAPES)


def test_samplers_that_do_not_fit_are_refused_with_those_that_do():
    message = "'maskgit' does not fit the process 'uniform'; choose from: ancestral, remasking"
    with pytest.raises(BadValue, match=message):
        LoomConfig(process="uniform", sampling=CodeSamplingConfig("maskgit"))
    with pytest.raises(BadValue, match="'top_probability' does not fit"):
        LoomConfig(process="uniform", sampling=CodeSamplingConfig(unconditional_sampler="top_probability"))
    net = loom(process="uniform")
    with pytest.raises(BadValue, match=message):
        net.sample(
            net.canvas({"middle": codes(1)["middle"]}, ["short"], 1), CodeSamplingConfig("maskgit"), noise(1)
        )


@pytest.fixture(scope="module")
def trained():
    """`b` is `a` with one added; trained for a few seconds."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LoomConfig(
            width=32, num_layers=2, num_heads=2, process="uniform", mixture=TrainingMixture(uncond_prob=0.3)
        )
        net = Loom(PAIR, {n: n for n in PAIR}, {}, config)
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, STEPS)
    everyone = {name: torch.ones(64, dtype=torch.bool) for name in PAIR}
    for step in range(STEPS):
        loss = net.loss(pair(64, step), everyone, generator(0, "noise", step))
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        slower.step()
    return net.eval()


def pair(n, seed):
    a = torch.randint(SIZE, (n, 3, 1), generator=generator(0, "data", seed))
    return {"a": a, "b": (a + 1) % SIZE}


@pytest.mark.parametrize("sampler", FITTING)
@pytest.mark.parametrize("steps", [4, 16])
def test_it_draws_one_stream_from_the_other(trained, sampler, steps):
    truth = pair(200, -1)
    for given, want in ("ab", "ba"):
        canvas = trained.canvas({given: truth[given]}, [want], 200)
        drawn = trained.sample(canvas, CodeSamplingConfig(sampler, steps), noise(200))
        assert (drawn[want] == truth[want]).float().mean() > 0.95


def test_it_draws_both_from_nothing(trained):
    drawn = trained.sample(trained.canvas({}, ["a", "b"], 400), CodeSamplingConfig(steps=16), noise(400))
    assert (drawn["b"] == (drawn["a"] + 1) % SIZE).float().mean() > 0.95
    shares = drawn["a"].flatten().bincount(minlength=SIZE) / 1200
    torch.testing.assert_close(shares, torch.full((SIZE,), 1 / SIZE), atol=0.06, rtol=0)


def test_its_bound_tells_the_dependency(trained):
    """Bits a code: almost none given the other stream; without it little above what is true, log₂ 4 = 2."""
    truth = pair(500, -2)
    given, alone = (
        trained.nelbo(truth, ["b"], given, generator=generator(0), points=16)["b"].mean() / 3 / math.log(2)
        for given in (["a"], [])
    )
    assert float(given) < 0.2
    assert 1.95 < float(alone) < 2.3
