"""The benchmarks against other models: their arithmetic, and that every model learns what it should."""

import json
import math
import runpy
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from modaloom import api
from modaloom.core.errors import BadRun
from modaloom.core.types import CodeShape
from modaloom.loom.loom import Loom
from modaloom.modalities import MODALITIES
from modaloom.recipes.demo import demo
from modaloom.tokenizers import VQVAETokenizer

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def load(name: str) -> dict[str, Any]:
    return runpy.run_path(str(BENCHMARKS / f"{name}.py"))


def test_a_finished_case_is_not_measured_again(tmp_path: Path) -> None:
    kept, measured = load("kept")["Kept"], iter([{"a": 1.0}, {"a": 2.0}])
    first = kept(tmp_path / "f.json", {"n": 3})
    assert [first.case(name, lambda: next(measured))["a"] for name in "xyx"] == [1.0, 2.0, 1.0]
    assert kept(tmp_path / "f.json", {"n": 3}).case("y", dict) == {"a": 2.0}
    with pytest.raises(BadRun, match="'n': 3"):
        kept(tmp_path / "f.json", {"n": 4}).case("x", dict)


def test_a_budget_of_steps_is_spent_step_by_step() -> None:
    budget = load("budget")
    assert [*budget["Budget"](0, 4).shares()] == [0, 0.25, 0.5, 0.75]
    first, rest = budget["Budget"](10, 5).split(0.4)
    assert (first.steps, rest.steps, first.seconds, rest.seconds) == (2, 3, 4, 6)
    assert len([*budget["Budget"](0.01).shares()]) > 1


def test_descent_finds_the_mean_and_ends_at_the_average() -> None:
    budget, net = load("budget"), nn.Linear(1, 1, bias=False)
    rows = torch.tensor([[1.0], [3.0]])
    descent = budget["Descent"](rate=0.1, weight_decay=0, average=0.5)
    losses = descent.run(
        net, lambda draws: (net.weight - rows).square().mean(), budget["Budget"](0, 200), seed=0
    )
    assert net.weight.item() == pytest.approx(2, abs=0.01)
    assert losses[0] > 1.5
    assert losses[-1] == pytest.approx(1, abs=0.01)
    assert descent.factor(0.5) == pytest.approx(0.5)


def test_a_lead_is_taken_seed_by_seed() -> None:
    glue = load("glue")
    name = "image->caption, level1: slot.mean"
    ours, theirs = (
        [{name: a, f"{name}, ceiling": 1.0} for a in values] for values in ((0.9, 0.5, 0.7), (0.5, 0.6, 0.4))
    )
    found = glue["compared"](ours, theirs)
    target = glue["targets"]([*ours[0]])[0]
    assert found["lead"][name] == pytest.approx(0.3)
    assert found["least lead"][name] == pytest.approx(-0.1)
    assert (found["modaloom"][name], found["glue"][name], found["floor"]) == (0.7, 0.5, {})
    assert (target.met(0.1), target.met(0.09), str(target)) == (True, False, "≥ 0.1")
    seen = glue["targets"](["image->caption, seen: exact"])[0]
    assert (seen.met(0.001), seen.met(0.0)) == (True, False)


def test_words_come_back() -> None:
    from glued.words import Words

    words = Words.of(["a red star", "a blue one"])
    codes = words.encode(["a blue star", "a green one"], 4)
    assert words.decode(codes) == ["a blue star", "a ? one"]
    assert codes[:, 3].tolist() == [0, 0]


def spans() -> Iterator[Any]:
    from glued.transformer import Span

    yield Span(slice(0, 6), slice(4, 8))
    yield Span(slice(6, 8), slice(0, 4))


def test_what_is_masked_is_part_of_the_wanted_stream_and_never_nothing() -> None:
    from glued.transformer import MaskedTransformer

    net = MaskedTransformer(dict(zip(("image", "question"), spans())), ["image"], width=8, depth=1)
    hidden, asked = net.masks(4000, torch.Generator().manual_seed(0))
    assert not (asked & ~hidden).any()
    assert asked.sum(1).min() == 1
    # A tenth wants the question too, and asks for none of its two tokens with chance E (1 − cos(πu/2))².
    alone = ~asked[:, 6:].any(1)
    assert alone.float().mean() == pytest.approx(0.9 + 0.1 * (1.5 - 4 / math.pi), abs=0.015)
    assert hidden[alone][:, 6:].all(1).float().mean() == pytest.approx(0.49, abs=0.03)
    assert (hidden[alone][:, 6] == hidden[alone][:, 7]).all()
    # E max(1 of 6, cos(πu/2)) lies a little above 2/π.
    assert 2 / math.pi < asked[:, :6].float().mean() < 2 / math.pi + 0.05


@pytest.mark.full
def test_the_masked_transformer_learns_a_pair_both_ways() -> None:
    """A word and the colour of all six tokens are one: each is drawn from the other, and both agree."""
    from budget import Budget, Descent
    from glued.transformer import MaskedTransformer

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = MaskedTransformer(dict(zip(("image", "text"), spans())), ["image", "text"], width=32, depth=2)
    which = torch.arange(4)[:, None]
    rows = torch.cat([which.expand(4, 6) + 4, which.expand(4, 2)], 1)
    many = rows.repeat(16, 1)
    losses = Descent(rate=5e-3).run(net, lambda draws: net.loss(many, draws), Budget(0, 150), seed=0)
    assert losses[-1] < losses[0] / 2
    draws = torch.Generator().manual_seed(0)
    for want, hide in ((["image"], slice(0, 6)), (["text"], slice(6, 8))):
        asked = rows.clone()
        asked[:, hide] = net.size
        assert torch.equal(net.sample(asked, want, draws), rows)
    both = net.sample(torch.full((64, 8), net.size), ["image", "text"], draws)
    assert (both == rows[both[:, 6]]).all(1).float().mean() > 0.9
    assert len(both[:, 6].unique()) == 4


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `glue.py` finds it in its folder for seed 0."""
    folder = tmp_path_factory.mktemp("glue") / "seed-0-world"
    api.world(folder, n=40, held_out=4, streams=("image", "caption", "question", "answer"))
    return folder


@pytest.mark.full
def test_glue_is_scored_as_ours_with_as_many_parameters(world: Path) -> None:
    from budget import parameters
    from glued.training import train

    exam = load("glue")["Exam"].of(world, n=2)
    modalities = {"image": "image", "caption": "text", "question": "text", "answer": "text"}
    steps = {"tokenizer": 2, "transformer": 2}
    found = train(exam.train, modalities, ["image", "caption", "answer"], 0, steps=steps, seed=0)
    figures = exam.figures(found)
    assert figures["image->caption, level2: slot.mean, ceiling"] == 1
    assert figures["caption->image, seen: slot.mean, ceiling"] < 1
    assert {len(losses) for losses in found.losses.values()} == {2}

    image = VQVAETokenizer(
        MODALITIES["image"], {"channels": 3, "size": [32, 32]}, demo().tokenizer_of("image", "image").options
    )
    text = {"caption": (12,), "question": (8,), "answer": (3,)}  # as the demo measures them
    shapes = {"image": image.shape, **{name: CodeShape(grid, 1, 421) for name, grid in text.items()}}
    loom = Loom(shapes, modalities, {"image": image.vectors}, demo().loom)
    assert parameters(found.autoencoder) == pytest.approx(parameters(image), rel=0.1)
    assert parameters(found.transformer) == pytest.approx(parameters(loom), rel=0.1)


@pytest.mark.full
def test_glue_from_a_world_to_its_table(world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures of both, from one step of each; a second call measures nothing."""
    glue, out = load("glue"), world.parent
    options = {"seeds": [0], "minutes": 8.0, "steps": 1, "tokenizer_steps": 1, "n": 2}
    options = Namespace(**options, out=out, json=None)
    glue["run"](options)
    table = capsys.readouterr().out
    kept = json.loads((out / "glue.json").read_text())["cases"]["seed 0"]
    assert kept["glue"].keys() == kept["modaloom"].keys()
    assert "| ->image+caption, seen: agree.all | > 0 |" in table
    before = (out / "glue.json").stat().st_mtime_ns
    glue["run"](options)
    assert table.endswith(again := capsys.readouterr().out)
    assert again.startswith("| figure |")
    assert (out / "glue.json").stat().st_mtime_ns == before


def test_the_grid_knows_its_modes_and_copies_and_collapse() -> None:
    from rivals.subjects import SIGMA, grid

    families, subject = load("families"), grid()
    real = families["judged"](subject, subject.train[:2000])
    assert (real["modes"], real["novelty"]) == (25, 0)
    assert real["quality"] > 0.99  # 1 − e⁻⁸ of a normal distribution lies within four deviations
    one = subject.train[subject.mode(subject.train) == 7][:300]
    collapsed = families["judged"](subject, one)
    assert (collapsed["modes"], collapsed["quality"]) == (1, 1)
    assert collapsed["KID"] > 10 * families["real"](subject, 1000)["KID"]
    off = one + 10 * SIGMA
    assert families["judged"](subject, off)["quality"] < 0.01


def test_a_point_is_inside_where_a_real_neighbourhood_reaches() -> None:
    from rivals.subjects import inside

    real = torch.tensor([[0.0], [1.0], [2.0], [3.0], [100.0]])
    points = torch.tensor([[-2.9], [-3.1], [6.1], [50.0], [2.5]])
    # Third neighbours are 3, 2, 2, 3 and 99 away; the ball of 100 begins at 1.
    assert inside(points, real).tolist() == [True, False, True, True, True]


@pytest.mark.full
@pytest.mark.parametrize("name", ["VAE", "GAN", "VQ + prior", "diffusion"])
def test_a_family_learns_where_two_points_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from budget import Budget, parameters
    from rivals import sized

    monkeypatch.setattr("rivals.vae.RISE", 50)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = sized(name, 2, 100_000)
        assert parameters(model) == pytest.approx(100_000, rel=0.1)
        rows = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(500, 1)
        rows = rows + 0.05 * torch.randn(1000, 2)
    assert model.learn(rows, Budget(0, 300), seed=0) == 300
    drawn = model.sample(300, generator=torch.Generator().manual_seed(0))
    assert 0.6 < drawn[:, 0].abs().mean() < 1.1  # a VAE also draws what lies between
    assert (drawn[:, 0] + drawn[:, 1]).abs().mean() < 0.3
    assert 0.2 < (drawn[:, 0] > 0).float().mean() < 0.8


def test_defaults_name_the_runs_that_fail() -> None:
    defaults = load("defaults")
    found = {0: {defaults["READ"]: 0.96}, 1: {defaults["READ"]: 0.9}, 2: {}}
    report = defaults["report"]("digits", found)
    assert "digits: 1 of 3 runs reach their score" in report
    assert "digits, seed 1: image->text, exact is 0.900, not ≥ 0.95" in report
    assert "digits, seed 2: image->text, exact is nan" in report


def test_tiles_come_back_and_k_means_keeps_what_it_has_centres_for() -> None:
    defaults, draws = load("defaults"), np.random.default_rng(0)
    pictures = draws.random((2, 32, 32, 3))
    assert np.array_equal(defaults["_untiled"](defaults["_tiles"](pictures)), pictures)
    few = np.repeat(np.repeat(draws.integers(0, 2, (3, 8, 8, 1)), 4, 1), 4, 2) * np.ones(3)
    assert np.allclose(defaults["k_means"](few, few[:1], 2), few[:1])
    crops = defaults["crops"](np.arange(40 * 48 * 3).reshape(40, 48, 3), 32, 8)
    assert (len(crops), crops[-1, 0, 0, 0]) == (2 * 3, (8 * 48 + 16) * 3)
