"""What benchmarks/video_restore.py asks for."""

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return SimpleNamespace(**runpy.run_path(str(BENCHMARKS / "video_restore.py")))


@pytest.mark.parametrize(("noise", "is_met"), [(0, True), (40, False)])
def test_blur_does_not_hide_flicker(noise: int, is_met: bool, benchmark: Any) -> None:
    """Half of the contrast halves all motion; noise that comes and goes must count all the same."""
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 256, (6, 16, 16, 3)).astype(float)
    flat = 0.5 * truth + 64
    made = {
        benchmark.BICUBIC: flat,
        benchmark.FRAMES: flat,
        benchmark.CLIPS: flat + noise * draw.choice([-1, 1], (6, 1, 1, 1)),
    }
    scores = {
        name: {
            "dB": 0.0,
            "motion": benchmark.motion(clip) / benchmark.motion(truth),
            "flicker": benchmark.flicker(clip / 255, truth / 255) / benchmark.motion(truth),
        }
        for name, clip in made.items()
    }
    figures = benchmark.figures_of("test", scores)
    targets = [one for one in benchmark.targets_of("test") if "flicker" in one.name]
    assert len(targets) == 2
    assert scores[benchmark.CLIPS]["motion"] < 1
    assert all(target.met(figures[target.name]) is is_met for target in targets)
