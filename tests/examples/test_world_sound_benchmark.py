"""The judges of the benchmark of speech and music."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modaloom.modalities.audio_value import Audio

pytest.importorskip("sklearn")
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
RATE = 16_000


@pytest.fixture
def voices(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return runpy.run_path(str(BENCHMARKS / "voices.py"))


def buzz(formant: float, *, pitch: float = 120, seconds: float = 0.6, level: float = 0.3) -> Audio:
    """Harmonics of a pitch, strongest at a formant."""
    time, hertz = np.arange(round(RATE * seconds)) / RATE, pitch * np.arange(1, 60)
    strength = np.exp(-(((hertz - formant) / 400) ** 2)) + 0.05
    sound = (strength[:, None] * np.sin(2 * np.pi * hertz[:, None] * time)).sum(0)
    return Audio((level * sound / np.abs(sound).max())[None].astype(np.float32), RATE)


def test_the_least_path_is_that_of_all_paths(voices: Any) -> None:
    """Oracle: every monotone path through a small table."""
    far = np.random.default_rng(0).random((4, 5))

    def paths(i: int, j: int) -> Any:
        if (i, j) == (0, 0):
            yield [(0, 0)]
        for a, b in ((i - 1, j), (i, j - 1), (i - 1, j - 1)):
            if a >= 0 and b >= 0:
                yield from ([*path, (i, j)] for path in paths(a, b))

    cost, length = min((sum(far[p] for p in path), len(path)) for path in paths(3, 4))
    found = voices["_aligned"](far.tolist())
    assert found == (pytest.approx(cost), length)


def test_a_distance_of_timbres_is_of_neither_loudness_nor_tempo(voices: Any) -> None:
    distance, one = voices["mel_cepstral_distance"], buzz(600)
    assert distance(one, one) == 0
    assert distance(one, buzz(600, level=0.03)) == pytest.approx(0, abs=0.05)
    assert distance(one, buzz(600, seconds=0.9)) == pytest.approx(0, abs=0.1)
    assert distance(one, buzz(1500)) == pytest.approx(distance(buzz(1500), one))
    assert distance(one, buzz(700)) < distance(one, buzz(1500))
    assert distance(one, buzz(1500)) > 2


def test_the_distance_is_that_of_the_spectrum_in_decibels(voices: Any) -> None:
    """Spectra that differ by a cosine of A dB over the mel scale are A / √2 apart, its root mean square."""
    bands, place = 80, (np.arange(80) + 0.5) / 80
    voices["_cepstra"].__globals__["bands"] = lambda sound: sound
    flat = np.zeros((6, bands))
    tilted = flat + 3.0 * np.cos(2 * np.pi * place)
    assert voices["mel_cepstral_distance"](flat, tilted) == pytest.approx(3 / np.sqrt(2))


def test_the_classifier_tells_timbres_whatever_the_loudness(voices: Any) -> None:
    rng = np.random.default_rng(0)

    def said(formant: float, n: int) -> list[Audio]:
        return [
            buzz(formant + rng.normal(0, 30), pitch=rng.uniform(100, 140), level=rng.uniform(0.05, 0.5))
            for _ in range(n)
        ]

    low, high = said(500, 12), said(1100, 12)
    tell = voices["voice_classifier"](low[:8] + high[:8], ["low"] * 8 + ["high"] * 8)
    assert [*tell(low[8:] + high[8:])] == ["low"] * 4 + ["high"] * 4
