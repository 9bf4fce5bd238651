"""The benchmarks' own arithmetic, where a wrong figure would look right."""

import argparse
import json
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom import api
from modaloom.core.types import Sample
from modaloom.diffusion.samplers import CODE_SAMPLERS
from modaloom.evaluation import ScoreRow
from modaloom.loom.config import CodeSamplingConfig
from modaloom.quantizers import build
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


def test_every_seed_is_measured_with_the_other_options(load: Any) -> None:
    figures = load("figures")
    options = argparse.Namespace(seeds=[3, 5, 4], json=None, n=2, words=figures["words"]("a,b"))
    found = figures["over_seeds"](lambda n, words, seed: {"x": n * seed + len(words)}, options)
    assert found == {"seed 3": {"x": 8}, "seed 5": {"x": 12}, "seed 4": {"x": 10}, "median": {"x": 10}}
    assert figures["spread"]("abcdefg", 3) == "ace"
    assert figures["spread"]("ab", 3) == "ab"


def test_demo_figures_are_those_of_its_rows(load: Any) -> None:
    demo = load("demo")
    rows = [
        ScoreRow(name, split, metric, value, floor=0.3, ceiling=0.99, n=500)
        for name, split in [
            *((name, split) for name in demo["BOTH"] for split in ("seen", "level1")),
            (demo["ANSWER"], "seen"),
        ]
        for metric, value in (("slot.mean", 0.891), ("slot.worst", 0.75))
    ]
    rows += [ScoreRow(demo["JOINT"], "seen", m, v) for m, v in (("agree.all", 0.85), ("agree.mean", 0.95))]
    rows += [ScoreRow(demo["JOINT"], "seen", f"entropy.{m}", v) for m, v in (("shape", 0.99), ("size", 0.9))]
    found = {**demo["from_rows"](rows), **demo["from_usage"](256, [200.0, 100.0, 60.0], shared=1)}
    shown = {target.name: target.met(found.get(target.name)) for target in demo["targets"](8)}
    assert found["image->caption, seen: mean slot / ceiling"] == pytest.approx(0.9)
    assert found["image+question->answer, seen: question-only floor"] == 0.3
    assert shown["caption->image, seen: worst slot"] is False
    assert shown["caption->image, level1: worst slot"] is True
    assert shown["caption->image, level1: worst slot's ceiling"] is True
    assert shown["->image+caption: all slots agree"] is True
    assert shown["->image+caption: least entropy of a factor / data's"] is False
    assert shown["codebook: least perplexity of a position's depth / size"] is False
    unmeasured = [name for name, met in shown.items() if name not in found]
    assert unmeasured == [demo["WALL"], demo["MEMORY"]]


def test_samplers_are_compared_over_the_steps(load: Any, tmp_path: Path) -> None:
    """On a run that has learned nothing: every figure is there, and each is what its sampler draws."""
    settings = [
        "loom.width=16",
        "loom.num_layers=1",
        "loom.num_heads=1",
        "tokenizers.image.widths=[8,8,8]",
        "tokenizers.image.codebook_size=16",
    ]
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
    assert all(0 <= row[name] <= 1 for row in rows.values() for name in CODE_SAMPLERS)
    exam = samplers["Exam"].of(api.load(tmp_path / "run"), tmp_path / "world", n=3)
    again = exam.score(samplers["DIRECTIONS"][0], CodeSamplingConfig("ancestral", 2))
    assert again == rows["image->caption, 2 steps"]["ancestral"]
    colours = {colour for _, colour in Image.open(files[0]).getcolors(100_000)}
    assert len({(31, 119, 180), (214, 39, 40)} & colours) == 2


def test_accuracy_stands_beside_variety(load: Any) -> None:
    """Guidance 3 is right more often and varies less; a line starts where there is least variety."""
    diversity = load("diversity")
    grid = diversity["Grid"]([1.0, 3.0], [0.9])

    def rows(right: float, varied: float) -> list[ScoreRow]:
        figures = {"slot.mean": right, "coverage.image": 0.9, "diversity.background": varied, "exact": 0.1}
        return [ScoreRow("caption->image", "seen", metric, value, n=9) for metric, value in figures.items()]

    found = {grid.name(1.0, 0.9): rows(0.8, 0.7), grid.name(3.0, 0.9): rows(0.95, 0.2)}
    assert diversity["figures"](found["w 3, T 0.9"]) == {
        "caption->image, seen: slot.mean": 0.95,
        "caption->image, seen: coverage.image": 0.9,
        "caption->image, seen: diversity.background": 0.2,
    }
    line = Line("T 0.9", [(0.2, 0.95), (0.7, 0.8)])
    assert diversity["curves"](found, grid) == {"caption->image, seen": [line]}


def test_different_values_that_are_drawn_are_counted(load: Any) -> None:
    covered, words = load("diversity")["covered"], ["a", "a", "b", "x"]

    def generate(given: Any, want: Any, *, n: int, options: Any) -> Any:
        assert given == {"image": [0, 1, 2, 3]}
        return [{"text": word} for word in words[:n]]

    model = SimpleNamespace(specs={"text": {}}, generate=generate)
    run = SimpleNamespace(
        modality_of={"image": "image", "text": "text"}, sampling=lambda changes: None, model=model
    )
    samples = [Sample(str(i), {"image": i, "text": word}) for i, word in enumerate("abcb")]
    row = covered(run, "image->text", "seen", [*samples, Sample("4", {"text": "e"})], {})
    assert (row.metric, row.value, row.n) == ("covered.text", pytest.approx(2 / 3), 4)
    assert covered(run, "text->image", "seen", samples, {}) is None


def test_curves_lie_where_their_values_say(load: Any, tmp_path: Path) -> None:
    chart = load("chart")
    line = Line("one", [(4, 0.0), (8, 1.0)])
    scales = {"x": chart["Scale"]("x", log=True), "y": chart["Scale"]("y")}
    chart["chart"]({"only": [line]}, tmp_path / "p.png", **scales)
    picture = Image.open(tmp_path / "p.png").convert("RGB")
    for place in ((chart["LEFT"], chart["BOTTOM"]), (chart["RIGHT"], chart["TOP"])):
        assert picture.getpixel(place) == (31, 119, 180)


def test_bits_are_those_of_codes_counted_by_hand(load: Any) -> None:
    """Four vectors, K = 4 (so 4 is nothing): depths 1, 1, 2, 2 are an entropy of one bit."""
    bits = load("bits")
    codes = torch.tensor([[0, 4], [1, 4], [2, 0], [3, 3]])
    assert bits["plain_bits"](codes, 4) == pytest.approx(1.5 * 2 + 1)
    # Two bits for the first; after it nothing, with 1/2, and two codes with 1/4 each: 1.5 bits.
    assert bits["coded_bits"](codes, 4) == pytest.approx(2 + 1.5)
    # A third depth is coded for the half that kept the second.
    deeper = torch.cat([codes, torch.tensor([[4], [4], [1], [4]])], 1)
    assert bits["coded_bits"](deeper, 4) == pytest.approx(2 + 1.5 + 0.5 * 1)
    fixed = torch.tensor([[0, 0], [0, 1], [0, 2], [0, 3]])
    assert bits["plain_bits"](fixed, 4) == pytest.approx(4)
    assert bits["coded_bits"](fixed, 4) == pytest.approx(2)


def test_two_points_of_a_curve_share_the_vectors(load: Any) -> None:
    shared, curve = load("bits")["shared"], [(8.0, 0.4), (16.0, 0.2), (24.0, 0.1)]
    assert shared(curve, 10.0) == pytest.approx(0.35)
    assert shared(curve, 16.0) == pytest.approx(0.2)
    with pytest.raises(ValueError, match="7 bits are not within the curve's 8 to 24"):
        shared(curve, 7.0)


def test_patches_are_squares_of_neighbours_and_do_not_overlap(load: Any) -> None:
    """Each pixel carries its place; 9 × 13 pixels hold 2 × 3 patches."""
    places = np.arange(9 * 13 * 3, dtype=np.uint8).reshape(9, 13, 3)
    found = load("vectors")["patches"]([places, places])
    assert found.shape == (12, 48)
    for i, patch in enumerate(found[:6]):
        row, column = 4 * (i // 3), 4 * (i % 3)
        expected = places[row : row + 4, column : column + 4].reshape(-1) / 127.5 - 1
        np.testing.assert_allclose(patch.numpy(), expected, atol=1e-6)


def test_the_adaptive_rate_is_matched_to_the_bits_of_the_sweep(load: Any) -> None:
    sweep = load("sweep")
    residual = build("vq", 4, 16, 5, adaptive_distortion=0.5)
    z = torch.randn(2000, 4, generator=torch.Generator().manual_seed(0)) ** 3
    for step in range(5):
        residual(z, generator=torch.Generator().manual_seed(step))
    spent = load("bits")["plain_bits"](sweep["matched"](residual.eval(), z)(z).codes, 16)
    assert spent == pytest.approx(sweep["BITS"], abs=0.05)
    assert spent <= sweep["BITS"]


def test_principal_components_lose_what_is_least(load: Any) -> None:
    """Squared error = the smallest eigenvalues of the covariance."""
    components = load("sweep")["Components"]
    z = (
        torch.randn(500, 6, generator=torch.Generator().manual_seed(1)) @ torch.diag(torch.arange(1.0, 7.0))
        + 3
    )
    found = components.of(z, 4)
    lost = (found.up(found.down(z)) - z).square().sum(1).mean()
    torch.testing.assert_close(lost, torch.linalg.eigvalsh(z.T.cov(correction=0))[:2].sum())


def test_a_tenth_of_the_training_samples_and_all_others(load: Any, tmp_path: Path) -> None:
    augment, counts = load("augment"), {"train": 25, "val": 3, "test": 2}
    for split, count in counts.items():
        (tmp_path / "data" / split).mkdir(parents=True)
        for i in range(count):
            for stream in ("en.txt", "zh.txt"):
                (tmp_path / "data" / split / f"{i:02d}.{stream}").write_text(f"{split} {i}")
    few = augment["tenth"](tmp_path / "data", ["en"], tmp_path / "few")
    found = {split: sorted(path.name for path in (few / split).iterdir()) for split in counts}
    assert found["train"] == ["00.en.txt", "10.en.txt", "20.en.txt"]
    assert found["val"] == [f"{i:02d}.en.txt" for i in range(3)]
    assert found["test"] == [f"{i:02d}.en.txt" for i in range(2)]
    assert (few / "train" / "10.en.txt").read_text() == "train 10"


def test_arms_are_medians_beside_their_spread(load: Any) -> None:
    seeds = {"none": [{"exact": 0.5}, {"exact": 0.9}, {"exact": 0.6}]}
    assert load("augment")["summary"](seeds) == {"none": {"exact": 0.6, "exact (spread)": pytest.approx(0.4)}}


def test_the_audit_knows_which_captions_it_swapped(load: Any, tmp_path: Path) -> None:
    audit, world = load("audit"), tmp_path / "world"
    api.world(world, n=20, held_out=100, streams=("image", "caption"))
    keys = sorted(f"test-seen/{file.name.split('.')[0]}" for file in world.glob("test-seen/*.png"))
    audit["copied"](world, tmp_path / "copy", keys)
    swapped = audit["swap"](tmp_path / "copy", keys, seed=0)
    before, after = (
        {key: (place / f"{key}.caption.txt").read_text() for key in keys}
        for place in (world, tmp_path / "copy")
    )
    changed = {key for key in keys if before[key] != after[key]}
    assert 3 <= len(swapped) <= 5 == round(audit["SHARE"] * len(keys))
    assert set(swapped) <= changed
    assert sorted(before.values()) == sorted(after.values())


def test_an_edit_counts_what_was_asked_apart_from_the_rest(load: Any) -> None:
    edits = load("edits")
    facts = {"changed": "colour", "edited.colour": "red", "edited.shape": "star", "edited.size": "small"}
    pairs = [
        (facts, {"colour": "red", "shape": "circle", "size": "small"}),
        (facts, {"colour": "blue", "shape": "star", "size": "small"}),
    ]
    assert edits["figures_of"](pairs) == {edits["CHANGED"]: 0.5, edits["KEPT"]: 0.75}


def test_areas_of_explanations_are_fractions_of_what_is_told(load: Any) -> None:
    explain = load("explain")
    areas = [{"deletion": (2.0,), "insertion": (5.0,), "random": (3.0, 5.0)} for _ in range(2)]
    found = [SimpleNamespace(insertion=(2.0, 4.0, 6.0), areas=one) for one in areas]
    assert explain["fractions"](found) == {"deletion": 0, "insertion": 0.75, "random": 0.5}
    assert not explain["is_better"](found[0])  # one random order is as good
    found[0].areas["random"] = (3.0, 4.0)
    assert explain["is_better"](found[0])


def test_the_clinic_scores_are_those_of_the_definitions(load: Any) -> None:
    """Oracles: a belief that is the truth's own probability is calibrated, another by how far it is off."""
    scores, random = load("clinic")["scores"], np.random.default_rng(0)
    beliefs = random.uniform(size=100_000)
    truth = (random.uniform(size=len(beliefs)) < beliefs).astype(float)
    auroc, brier, error = scores(beliefs, truth)
    assert brier == pytest.approx(1 / 6, abs=0.005)  # E[b (1 − b)] of a uniform b
    assert auroc == pytest.approx(5 / 6, abs=0.005)  # P(b > c) of densities 2b and 2 (1 − c)
    assert error < 0.01
    assert scores(beliefs / 2, truth)[2] == pytest.approx(0.25, abs=0.01)


def test_the_clinic_imputes_by_majority_and_mean(load: Any) -> None:
    imputation = load("clinic")["_imputation"]
    what, right = imputation(np.array([[3.0, 5.0], [8.0, 0.0]]), np.eye(2))
    assert (what, right) == ("imputed facts, right", 0.0)
    _, error = imputation(np.array([[0, 4.0, 4.0]]), np.eye(3))
    assert error == pytest.approx(np.sqrt((1.5**2 + 0.5**2 + 0.5**2) / 3))
