"""The arithmetic of benchmarks/restore.py, of its photographs and its judges."""

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.degradations.upsample import upsample
from modaloom.restorer.files import Restoration, RestorerPlan, build_restorer
from modaloom.restorer.patch_ridge import PatchRidge
from modaloom.restorer.tasks import TASKS, Signals
from modaloom.restorer.tasks.masking import append_mask

pytest.importorskip("skimage", reason="needs scikit-image: pip install 'modaloom[photographs]'")
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return lambda name: runpy.run_path(str(BENCHMARKS / f"{name}.py"))


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_no_photograph_is_learned_and_judged(load: Any) -> None:
    found = load("photographs")
    assert not {*found["TRAIN"]} & {*found["TEST"]}
    for name, picture in found["load"](found["TEST"]).items():
        assert picture.shape[0] == 3, name
        assert min(picture.shape[1:]) >= 240
        assert 0 <= picture.min() < 0.1 < 0.9 < picture.max() <= 1


def test_what_is_judged_is_not_learned_from_in_another_view(load: Any) -> None:
    found = load("photographs")
    judged, learned = found["split"]([p for p in found["TRAIN"] if p.stem in ("motorcycle_left", "rocket")])
    assert set(judged) == {"motorcycle_left", "rocket"}
    assert len(learned) == len(found["TRAIN"]) - 3
    assert not {"motorcycle_left", "motorcycle_right", "rocket"} & set(learned)


def test_the_spectrum_holds_all_power_and_an_enlarged_picture_has_little_that_is_fine(load: Any) -> None:
    faults = load("faults")
    noise, rings = torch.rand(3, 64, 64, generator=random()), faults["RINGS"]
    power = faults["spectrum"](noise)
    luma = faults["luma"](noise)[0]
    torch.testing.assert_close(float(power.sum()) / luma.numel() ** 2, float(luma.var(correction=0)))
    cells = torch.hypot(*torch.meshgrid(torch.fft.fftfreq(64), torch.fft.fftfreq(64), indexing="ij"))
    flat = torch.bincount((2 * rings * cells).long().flatten()) / luma.numel()
    high, highest = slice(rings // 2, None), slice(3 * rings // 4, None)
    assert float(power[high].sum() / power[1:].sum()) == pytest.approx(float(flat[high].sum()), abs=0.05)
    soft = faults["spectrum"](upsample(noise[:, :32, :32], factor=2))
    assert soft[highest].sum() < 0.02 * soft.sum()
    assert power[highest].sum() > 0.4 * power[1:].sum()


def test_pairs_are_random_pieces_and_depend_on_seed_and_number(load: Any) -> None:
    lessons = load("restore")["Lessons"]
    pictures = [np.random.default_rng(i).integers(0, 256, (3, 120, 150), np.uint8) for i in range(2)]
    pairs = [lessons(pictures, 3, 4, seed).pair(number) for seed in (0, 1) for number in (0, 1)]
    again = lessons(pictures, 3, 4, 0).pair(0)
    assert torch.equal(again.target, pairs[0].target)
    assert all(pair.target.shape == (3, 48, 48) for pair in pairs)
    assert not any(torch.equal(pair.condition, again.condition) for pair in pairs[1:])


def test_a_network_that_has_learned_nothing_is_where_its_filter_is(load: Any) -> None:
    """0 dB over the filter that it starts from, finished alike; without one, below it."""
    found, task = load("superres"), TASKS["superres"]
    want = F.avg_pool2d(torch.rand(3, 66, 66, generator=random()), 3, 1)
    pair = task.make_example(Signals(want), task.options(), random())
    guess = task.initial_estimate(pair)
    ridge = PatchRidge.fit([(guess, want)], task.linear_filter(task.options()))
    plan = RestorerPlan("superres", ("image",), "image", None).with_input_shape(pair)
    plain = Restoration(plan, found["CONFIG"], build_restorer(plan, found["CONFIG"], seed=0))
    started = replace(plain, filters=(ridge,))
    above = [dict(found["judge"](one, {"one": want}, ridge)) for one in (plain, started)]
    assert above[1]["one: dB over ridge"] == above[1][found["LEAST"]] == 0
    assert above[0]["one: dB over ridge"] < -0.1
    gain = above[1]["one: dB over bicubic"] - above[0]["one: dB over bicubic"]
    assert gain == pytest.approx(-above[0]["mean: dB over ridge"])


def test_hints_are_spread_by_distance(load: Any) -> None:
    """One hint colours everything; between two the nearer one rules. Luma stays."""
    faults, grey = load("faults"), torch.full((3, 9, 9), 0.5)

    def held(*places: tuple[int, int, Tensor]) -> Tensor:
        image, known = grey.clone(), torch.zeros(9, 9, dtype=torch.bool)
        for row, column, colour in places:
            image[:, row, column] = faults["replace_luma"](grey[:1, :1, :1], colour[:, None, None])[:, 0, 0]
            known[row, column] = True
        return append_mask(image, known)

    red, blue = torch.tensor([0.8, 0.4, 0.4]), torch.tensor([0.4, 0.4, 0.8])
    one = faults["spread"](held((4, 4, red)))
    assert (one - one[:, 4:5, 4:5]).abs().max() * 255 <= 2
    two = faults["spread"](held((0, 0, red), (8, 8, blue)))
    assert two[0, 1, 1] > two[2, 1, 1]
    assert two[0, 7, 7] < two[2, 7, 7]
    assert (faults["luma"](two) - 0.5).abs().max() * 255 < 1
