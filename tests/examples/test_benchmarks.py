"""The benchmarks' own arithmetic, where a wrong figure would look right."""

import argparse
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modaloom import api
from modaloom.diffusion.samplers import SAMPLERS
from modaloom.evaluation import Row
from modaloom.models.loom import Sampling
from modaloom.report.plots import Line

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Name → the benchmark's globals."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return lambda name: runpy.run_path(str(BENCHMARKS / f"{name}.py"))


def test_a_table_judges_the_median_on_the_right_side(load: Any, tmp_path: Path) -> None:
    figures = load("figures")
    target = figures["Target"]
    targets = [target("good", 0.9), target("minutes", 10, "≤"), target("shown")]
    by_seed = {0: {"good": 0.95, "minutes": 12.0}, 1: {"good": 0.8}, 2: {"good": 0.91, "shown": 3.0}}
    figures["publish"](targets, figures["by_seed"](by_seed), tmp_path / "figures.json")
    good, minutes, shown = json.loads((tmp_path / "figures.json").read_text())
    assert (good["median"], good["target"], good["met"]) == (0.91, "≥ 0.9", True)
    assert (minutes["median"], minutes["seed 1"], minutes["met"]) == (12.0, None, False)
    assert (shown["median"], shown["target"], shown["met"]) == (3.0, None, None)
    table = figures["table"](targets, figures["by_seed"](by_seed)).splitlines()
    assert table[3] == "| minutes | ≤ 10 | 12 | – | – | 12 | no |"


def test_digits_variance_and_distance_tell_copies_and_means_from_the_real(load: Any) -> None:
    digits = load("digits")
    random = np.random.default_rng(0)
    centres = {"one": 0.0, "two": 5.0}
    words = np.repeat(list(centres), 300)

    def draw(spread: float) -> Any:
        return np.array([centres[w] for w in words])[:, None] + spread * random.standard_normal((600, 4))

    train, test = draw(1.0), draw(1.0)
    assert digits["variance"](test, words, train, words) == pytest.approx(1, abs=0.1)
    assert digits["variance"](draw(0.5), words, train, words) == pytest.approx(0.25, abs=0.03)
    assert digits["distance"](draw(1.0), test, train) == pytest.approx(1, abs=0.15)
    assert digits["distance"](train[:100], test, train) == 0


def test_demo_figures_are_those_of_its_rows(load: Any) -> None:
    demo = load("demo")
    rows = [
        Row(name, split, metric, value, floor=0.3, ceiling=0.99, n=500)
        for name, split in [
            *((name, split) for name in demo["BOTH"] for split in ("seen", "level1")),
            (demo["ANSWER"], "seen"),
        ]
        for metric, value in (("slot.mean", 0.891), ("slot.worst", 0.75))
    ]
    rows += [Row(demo["JOINT"], "seen", m, v) for m, v in (("agree.all", 0.85), ("agree.mean", 0.95))]
    rows += [Row(demo["JOINT"], "seen", f"entropy.{m}", v) for m, v in (("shape", 0.99), ("size", 0.9))]
    found = {**demo["from_rows"](rows), **demo["from_usage"](256, [200.0, 100.0])}
    shown = {target.name: target.met(found.get(target.name)) for target in demo["targets"](8)}
    assert found["image->caption, seen: mean slot / ceiling"] == pytest.approx(0.9)
    assert found["image+question->answer, seen: question-only floor"] == 0.3
    assert shown["caption->image, seen: worst slot"] is False
    assert shown["caption->image, level1: worst slot"] is True
    assert shown["caption->image, level1: worst slot's ceiling"] is True
    assert shown["->image+caption: all slots agree"] is True
    assert shown["->image+caption: least entropy of a factor / data's"] is False
    assert shown["codebook: least perplexity of a depth / size"] is False
    unmeasured = [name for name, met in shown.items() if name not in found]
    assert unmeasured == [demo["WALL"], demo["MEMORY"]]


def test_samplers_are_compared_over_the_steps(load: Any, tmp_path: Path) -> None:
    """On a run that has learned nothing: every figure is there, and each is what its sampler draws."""
    settings = ["loom.width=16", "loom.depth=1", "loom.heads=1", "vqvae.widths=[8,8,8]", "vqvae.size=16"]
    api.world(tmp_path / "world", n=24, streams=("image", "caption"))
    api.train(tmp_path / "world", out=tmp_path / "run", steps=1, settings=settings, samples=0)
    samplers, files = load("samplers"), [tmp_path / "plot.png", tmp_path / "figures.json"]
    options = {"run": tmp_path / "run", "folder": tmp_path / "world", "steps": [1, 2], "n": 3}
    samplers["run"](argparse.Namespace(**options, plot=files[0], json=files[1]))
    rows = {row["figure"]: row for row in json.loads(files[1].read_text())}
    assert [*rows] == [
        f"{direction}, {steps} steps"
        for direction in ("image->caption", "caption->image")
        for steps in (1, 2)
    ]
    assert all(0 <= row[name] <= 1 for row in rows.values() for name in SAMPLERS)
    exam = samplers["Exam"].of(api.load(tmp_path / "run"), tmp_path / "world", n=3)
    again = exam.score(samplers["DIRECTIONS"][0], Sampling("ancestral", 2))
    assert again == rows["image->caption, 2 steps"]["ancestral"]
    colours = {colour for _, colour in Image.open(files[0]).getcolors(100_000)}
    assert len({(31, 119, 180), (214, 39, 40)} & colours) == 2


def test_curves_lie_where_their_values_say(load: Any, tmp_path: Path) -> None:
    curves = load("curves")
    line = Line("one", [(4, 0.0), (8, 1.0)])
    curves["plot"]({"only": [line]}, tmp_path / "p.png", x="x", y="y")
    picture = Image.open(tmp_path / "p.png").convert("RGB")
    for place in ((curves["LEFT"], curves["BOTTOM"]), (curves["RIGHT"], curves["TOP"])):
        assert picture.getpixel(place) == (31, 119, 180)
