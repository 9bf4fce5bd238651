"""The Loom step by step: frames, previews, cancelling, and codes beside values."""

from itertools import islice

import pytest
import test_layout
import torch
from toy_tokens import SHAPES, codes, loom, model

from modaloom.core.frame import finished
from modaloom.core.rng import generator
from modaloom.core.types import MASK, Field
from modaloom.diffusion import PROCESSES
from modaloom.diffusion.noise import Noise
from modaloom.diffusion.samplers import CODE_SAMPLERS
from modaloom.loom import model as module
from modaloom.loom.config import CodeSamplingConfig
from modaloom.loom.generated import Generated

PAIRS = [(sampler, process) for sampler, value in CODE_SAMPLERS.items() for process in value.fns]
ALL = pytest.mark.parametrize(("sampler", "process"), PAIRS)
STEPS = 5


def noise(n):
    return Noise([generator(0, i) for i in range(n)])


def started(process, sampler, given=("middle",)):
    """A Loom, a canvas of four samples in which two streams are wanted, and the sampling options."""
    net, truth = loom(process=process), codes(4)
    want = [name for name in SHAPES if name not in given]
    canvas = net.canvas({name: truth[name] for name in given}, want, 4)
    return net, canvas, CodeSamplingConfig(sampler, STEPS, unconditional_sampler=sampler)


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@ALL
def test_every_sampler_yields_its_steps_and_previews_change_nothing(sampler, process):
    net, canvas, options = started(process, sampler)
    expected = net.sample(canvas, options, noise(4))
    frames = [*net.stream(canvas, options, noise(4))]
    assert [(f.stream, f.step, f.total) for f in frames] == [
        (name, step, 2 * STEPS)
        for name, first in (("short", 1), ("long", 1 + STEPS))
        for step in range(first, first + STEPS)
    ]
    assert [f.result is None for f in frames] == [True] * (2 * STEPS - 1) + [False]
    looked_at = [(frame, frame.preview()) for frame in net.stream(canvas, options, noise(4))]
    assert equal(frames[-1].result, expected)
    assert equal(looked_at[-1][0].result, expected)
    assert equal(looked_at[-1][1], expected)
    for frame, (_, seen) in zip(frames, looked_at):
        assert equal(frame.preview(), seen)  # later is as good as at once
        assert set(seen) == {"middle", "short"} | ({"long"} if frame.step > STEPS else set())
        assert all((c >= 0).all() and (c < SHAPES[name].codebook_size).all() for name, c in seen.items())


@ALL
def test_a_preview_is_the_canvas_with_the_denoisers_most_likely_codes(sampler, process, monkeypatch):
    """The canvas as the sampler itself yields it, and Bayes' rule for what is still noise."""
    net, canvas, options = started(process, sampler)
    states = []

    def spy(*args, **kwargs):
        for state in sampler_fn(*args, **kwargs):
            states.append(state)
            yield state

    sampler_fn = CODE_SAMPLERS[sampler].fns[process]
    monkeypatch.setitem(CODE_SAMPLERS[sampler].fns, process, spy)
    for frame in net.stream(canvas, options, noise(4)):
        state, seen = states[-1], frame.preview()
        with torch.no_grad():
            logits = net(state)
        for name, field in state.items():
            clean = PROCESSES[process]().posterior(
                logits[name].double().softmax(-1), field.state, torch.zeros_like(field.t), field.t
            )
            likeliest = torch.where(field.known, field.state, clean.argmax(-1))
            assert torch.equal(seen[name], field.state if (field.t == 0).all() else likeliest)


@pytest.mark.parametrize("process", PROCESSES)
def test_most_likely_codes_by_hand(process):
    """Logits prefer code 2 everywhere; what is known, written or already clean stays as it is."""
    noise_code = MASK if process == "masked" else 4
    state = torch.tensor([[[0], [1], [noise_code]]])
    known = torch.tensor([[[True], [False], [False]]])
    logits = torch.zeros(1, 3, 1, 5)
    logits[..., 2] = 1
    kind = PROCESSES[process]()

    def at(t):
        field = Field(state, known, torch.ones(1, 3, dtype=torch.bool), torch.tensor([t]), 5)
        return kind.most_likely(logits, field).flatten().tolist()

    assert at(0.5) == ([0, 1, 2] if process == "masked" else [0, 2, 2])
    if process == "uniform":
        assert at(0.0) == [0, 1, 4]


def test_a_closed_stream_asks_the_network_no_more():
    net, canvas, options = started("masked", "ancestral")
    calls, forward = [], net.network.forward
    net.network.forward = lambda canvas, _: calls.append(1) or forward(canvas)
    frames = net.stream(canvas, options, noise(4))
    assert not calls
    seen = [*islice(frames, 3)]
    frames.close()
    before = len(calls)
    assert [*frames] == []
    assert len(calls) == before
    assert torch.is_grad_enabled()
    seen[-1].preview()
    assert len(calls) == before + 1


def test_shared_codes_are_steps_too():
    net = test_layout.loom()  # of a picture with one shared code, and of a word
    options = CodeSamplingConfig(steps=3)
    frames = [*net.stream(net.canvas({}, ["picture", "word"], 2), options, noise(2))]
    assert [f.step for f in frames] == [*range(1, frames[-1].total + 1)]
    assert frames[-1].total == 2 * 3 + 1
    assert frames[-1].result is not None


def test_frames_of_a_request_go_over_its_batches(monkeypatch):
    monkeypatch.setattr(module, "BATCH_SIZE", 2)
    toy, options = model(), CodeSamplingConfig(steps=4)
    frames = [*toy.stream({}, ["long", "short"], n=5, options=options)]
    assert [f.step for f in frames] == [*range(1, 25)]
    assert {f.total for f in frames} == {24}
    assert [f.first for f in frames] == [0] * 8 + [2] * 8 + [4] * 8
    assert [f.step for f in frames if f.result is not None] == [24]
    assert frames[-1].result["long"].shape == (5, 12, 1)
    assert {len(f.preview()["short"]) for f in frames[:16]} == {2}
    assert toy.num_steps(["long", "short"], options) == 8
    assert equal(frames[15].preview(), {n: c[2:4] for n, c in frames[-1].result.items()})


def test_codes_stand_beside_values():
    toy, options = model(), CodeSamplingConfig(steps=4)
    rows = toy.generate({"middle": ["00012341"] * 3}, ["long", "short"], n=3, options=options)
    for row in rows:
        assert isinstance(row, Generated)
        assert row == dict(row)
        assert {name: tuple(c.shape) for name, c in row.codes.items()} == {"long": (12, 1), "short": (3, 1)}
        for name, value in row.items():
            assert row.codes[name].dtype == torch.int64
            assert toy.decode(name, row.codes[name][None]) == [value]


def test_a_repeated_object_is_encoded_once(monkeypatch):
    toy, counts = model(), []
    encode = module.Model.encode

    def count(self, name, values):
        counts.append(len(values))
        return encode(self, name, values)

    monkeypatch.setattr(module.Model, "encode", count)
    one, other = "00012341", "43210123"
    found = toy.codes({"middle": [one, one, other, one]})["middle"]
    assert counts == [2]
    assert torch.equal(found, encode(toy, "middle", [one, one, other, one]))


def test_generate_is_the_end_of_the_stream():
    toy, options = model(), CodeSamplingConfig(steps=4)
    given = {"middle": ["00012341", "43210123"]}
    rows = toy.generate(given, ["short"], n=2, options=options)
    assert rows == toy.values(finished(toy.stream(toy.codes(given), ["short"], n=2, options=options)))
