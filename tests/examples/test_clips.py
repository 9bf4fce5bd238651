"""The folder of clips: known motion of pans, halves of clips in their splits, sound that stays."""

import runpy
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modaloom.data.folder import open_folder
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video import VIDEO
from modaloom.modalities.video_encode import write_with
from modaloom.modalities.video_value import Video

pytest.importorskip("skimage", reason="needs scikit-image: pip install 'modaloom[photographs]'")
ROOT = Path(__file__).parents[2]
CLIPS: dict[str, Any] = runpy.run_path(str(ROOT / "examples" / "clips.py"))


def test_a_pan_moves_by_its_step_and_a_zoom_spreads() -> None:
    """Over a ramp whose levels are the columns."""
    ramp = Image.fromarray(np.broadcast_to(np.arange(256, dtype=np.uint8), (200, 256)).copy()).convert("RGB")
    moved = [*CLIPS["Pan"]((10.0, 5.0), (0.5, 2.0), 1.0).frames(ramp)]
    assert len(moved) == CLIPS["LENGTH"]
    assert {frame.shape for frame in moved} == {(*CLIPS["SIZE"], 3)}
    assert [int(frame[60, 20, 0]) for frame in moved[:4]] == [25, 27, 29, 31]
    spread = [*CLIPS["Pan"]((0.0, 0.0), (0.0, 0.0), 1.01).frames(ramp)]
    assert [int(frame[60, 100, 0]) for frame in (spread[0], spread[20])] == [
        100,
        round(100.5 * 1.01**20 - 0.5),
    ]


def test_pans_stay_inside_of_their_photograph() -> None:
    for seed in range(60):
        pan = CLIPS["Pan"].random(240, 300, seed)
        ends = [
            (c + k * s, c + k * s + pan.zoom**k * n)
            for k in (0, CLIPS["LENGTH"] - 1)
            for c, s, n in zip(pan.corner, pan.step, CLIPS["SIZE"], strict=True)
        ]
        assert min(first for first, _ in ends) >= 0
        assert all(end <= side + 1e-6 for (_, end), side in zip(ends, (240, 300, 240, 300), strict=True))
        assert max(abs(step) for step in pan.step) <= CLIPS["FASTEST"]


def test_halves_of_clips_are_in_their_splits_and_sound_stays(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    frames = np.random.default_rng(0).integers(0, 256, (7, 32, 48, 3), np.uint8)
    sound = Audio(np.zeros((1, 13_440), np.float32), 48_000)
    for name in ("carphone_pristine", "bikes", "bigbuckbunny"):
        tracks = {"sound": sound} if name == "bigbuckbunny" else {}
        write_with(Video.of(frames, Fraction(25)), tracks, source / f"{name}.mp4")
    photograph = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (400, 500, 3), np.uint8)).save(photograph)
    CLIPS["write_clips"](tmp_path / "clips", source, {"test-clip": (photograph,)})
    index = open_folder(tmp_path / "clips")
    assert index.splits is not None
    assert sorted(set(index.splits.values())) == ["test-clip", "test-time", "train"]
    lengths = {name: VIDEO.read(tmp_path / "clips" / f"{name}.mp4").facts[:3] for name in index.splits}
    assert lengths["train/bikes"] == (3, 32, 48)
    assert lengths["test-time/bikes"] == (4, 32, 48)
    assert lengths["test-clip/bigbuckbunny"] == (7, 16, 24)
    assert {"test-clip/a-0", "test-clip/a-1", "test-clip/a-2"} <= lengths.keys()
    sounds = [s.key for s in index.samples if "video.sound" in s.streams]
    assert sounds == ["test-clip/bigbuckbunny"]
    first, second = (VIDEO.read(tmp_path / "clips" / f"{s}/bikes.mp4").frames for s in ("train", "test-time"))
    whole = VIDEO.read(source / "bikes.mp4").frames.astype(int)
    assert np.abs(first - whole[:3]).mean() < np.abs(first - whole[4:7]).mean() / 3
    assert np.abs(second - whole[3:]).mean() < np.abs(second[:3] - whole[:3]).mean() / 3


def test_what_is_scored_is_the_middle_and_what_moves_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    found = runpy.run_path(str(ROOT / "benchmarks" / "video_restore.py"))
    frames = np.random.default_rng(0).integers(0, 256, (9, 31, 40, 3), np.uint8)
    made = found["middle"](Video.of(frames, 8), 4, 24)
    assert np.array_equal(made, frames[2:6, 3:27, 8:32])
    still = np.repeat(frames[:1], 4, 0)
    assert found["motion"](still) == 0
    brighter = np.stack([np.full((8, 8, 3), 51 * k, np.uint8) for k in range(4)])
    assert found["motion"](brighter) == pytest.approx(0.2)
