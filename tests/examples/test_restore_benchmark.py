"""The arithmetic of benchmarks/restore.py and of its photographs."""

import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from modaloom.degradations.larger import larger
from modaloom.tasks.known import with_known

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


def test_crops_are_squares_of_the_picture_in_all_eight_orientations(load: Any) -> None:
    """Each pixel carries its place; a square of two pixels tells its orientation."""
    places = torch.arange(20.0).reshape(1, 4, 5)
    seen, crop = set(), load("photographs")["crop"]
    for seed in range(200):
        square = crop([places], 2, generator=random(seed))
        values = square.flatten().tolist()
        top = min(values)
        assert sorted(values) == [top, top + 1, top + 5, top + 6]
        seen.add(tuple(v - top for v in values))
    assert len(seen) == 8


def test_fine_power_is_that_of_high_frequencies(load: Any) -> None:
    """Of white noise three quarters and a little; enlarged, hardly any."""
    restore = load("restore")
    noise = torch.rand(3, 64, 64, generator=random())
    grey = 0.1 * torch.randn(1, 64, 64, generator=random()).expand(3, -1, -1)
    luma = restore["luma"](grey)
    whole = float(torch.fft.fft2(luma[0] - luma.mean()).abs().square().sum())
    assert restore["fine"](grey) / whole == pytest.approx(0.75, abs=0.05)
    soft = larger(noise[:, :32, :32], factor=2)
    assert restore["fine"](soft) < 0.1 * restore["fine"](noise)


def test_hints_are_spread_by_distance(load: Any) -> None:
    """One hint colours everything; between two the nearer one rules. Luma stays."""
    restore, grey = load("restore"), torch.full((3, 9, 9), 0.5)

    def held(*places: tuple[int, int, Tensor]) -> Tensor:
        image, known = grey.clone(), torch.zeros(9, 9, dtype=torch.bool)
        for row, column, colour in places:
            image[:, row, column] = restore["recoloured"](grey[:1, :1, :1], colour[:, None, None])[:, 0, 0]
            known[row, column] = True
        return with_known(image, known)

    red, blue = torch.tensor([0.8, 0.4, 0.4]), torch.tensor([0.4, 0.4, 0.8])
    one = restore["spread"](held((4, 4, red)))
    assert (one - one[:, 4:5, 4:5]).abs().max() * 255 <= 2
    two = restore["spread"](held((0, 0, red), (8, 8, blue)))
    assert two[0, 1, 1] > two[2, 1, 1]
    assert two[0, 7, 7] < two[2, 7, 7]
    assert (restore["luma"](two) - 0.5).abs().max() * 255 < 1
