"""Clips cut to music, from files to a film: cuts are read back from its pictures and its sound."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modaloom import api
from modaloom.api import cutting
from modaloom.core.errors import BadFile, BadRun, BadValue
from modaloom.modalities import AUDIO, VIDEO
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.video_value import Video

RATE, SECONDS = 16_000, 20.0


@pytest.fixture(scope="module")
def beats() -> Any:
    """Uneven beats, and the time of each."""
    return np.cumsum(np.random.default_rng(3).uniform(0.3, 0.62, 60))[:40]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, beats: Any) -> Path:
    """Music with these beats, and clips of one colour each."""
    root, rng = tmp_path_factory.mktemp("clips"), np.random.default_rng(0)
    track = 0.002 * rng.standard_normal(round(SECONDS * RATE))
    for start in beats[beats < SECONDS - 0.1]:
        first = round(start * RATE)
        tone = np.sin(2 * np.pi * rng.uniform(200, 600) * np.arange(1600) / RATE)
        track[first : first + 1600] += 0.5 * tone * np.linspace(1, 0, 1600)
    AUDIO.write(Audio(track.clip(-1, 1).astype(np.float32)[None], RATE), root / "music.wav")
    (root / "shots").mkdir()
    for i, level in enumerate((30, 90, 150, 210)):
        frames = np.full((60, 24, 32, 3), level, np.uint8)
        VIDEO.write(Video.of(frames, Fraction(12)), root / "shots" / f"{i}.mp4")
    return root


def cuts_of(path: Path) -> Any:
    """Seconds at which the colour changes."""
    film = VIDEO.read(path)
    levels = film.frames.mean((1, 2, 3))
    return (1 + np.flatnonzero(np.abs(np.diff(levels)) > 20)) / float(film.fps)


def nearest(times: Any, beats: Any) -> Any:
    return np.abs(np.asarray(times)[:, None] - beats).min(1)


def test_cuts_lie_on_onsets(folder: Path, beats: Any, tmp_path: Path) -> None:
    shots = api.cut(folder / "music.wav", [folder / "shots"], out=tmp_path / "film.mp4", shot=1.5)
    cuts = cuts_of(tmp_path / "film.mp4")
    assert cuts == pytest.approx([one.start for one in shots[1:]])
    assert nearest(cuts, beats).mean() <= 0.025
    fixed = np.arange(1.5, SECONDS, 1.5)
    assert nearest(cuts, beats).mean() <= nearest(fixed, beats).mean() / 2
    assert 0.5 <= min(np.diff(cuts)) <= max(np.diff(cuts)) <= 4
    assert len({one.clip for one in shots}) == 4


def test_the_film_has_all_of_the_music(folder: Path, tmp_path: Path) -> None:
    api.cut(folder / "music.wav", [folder / "shots"], out=tmp_path / "film.mkv")
    film, sound = VIDEO.read(tmp_path / "film.mkv"), AUDIO.read(tmp_path / "film.mkv")
    assert film.facts[1:] == (24, 32, 30)
    assert film.seconds == pytest.approx(SECONDS, abs=0.04)
    assert sound.seconds == pytest.approx(SECONDS, abs=0.04)
    music, n = AUDIO.read(folder / "music.wav").samples[0], RATE * 19
    assert np.corrcoef(sound.samples[0, : n * sound.rate // RATE : sound.rate // RATE], music[:n])[0, 1] > 0.9


def test_a_seed_is_an_order(folder: Path, tmp_path: Path) -> None:
    music, clips = folder / "music.wav", [folder / "shots"]
    films = [api.cut(music, clips, out=tmp_path / f"{i}.mp4", seed=s) for i, s in enumerate((0, 0, 1))]
    assert films[0] == films[1]
    assert [one.clip for one in films[1]] != [one.clip for one in films[2]]
    assert VIDEO.read(tmp_path / "0.mp4") == VIDEO.read(tmp_path / "1.mp4")


def test_a_single_clip_is_cut_too(folder: Path, tmp_path: Path) -> None:
    """No shot goes on where the last one ended."""
    (one,) = {*(folder / "shots").glob("0.mp4")}
    shots = api.cut(folder / "music.wav", [one], out=tmp_path / "film.mp4", shot=1)
    assert len(shots) > 10
    for before, after in pairwise(shots):
        assert abs((after.first - before.first) - (after.start - before.start)) > 0.1


def test_a_run_is_told_the_streams_and_the_seed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []

    def misfits(run: Any, music: Any, starts: Any, clips: Any, **how: Any) -> Any:
        told.append((run, how))
        return [[0.0] * len(clips)] * len(starts)

    monkeypatch.setattr(cutting, "misfits", misfits)
    monkeypatch.setattr(cutting, "load", lambda run, device: run)
    how: Any = {"streams": ["music", "video"], "seed": 3}
    api.cut(folder / "music.wav", [folder / "shots"], out=tmp_path / "film.mp4", run="here", **how)
    assert told == [("here", how)]


def test_what_cannot_be_cut_is_told(folder: Path, tmp_path: Path) -> None:
    music, shots, out = folder / "music.wav", [folder / "shots"], tmp_path / "film.mp4"
    (tmp_path / "none").mkdir()
    VIDEO.write(Video.of(np.zeros((1, 8, 8, 3), np.uint8), 30), tmp_path / "short.mp4")
    with pytest.raises(BadValue, match="no clips"):
        api.cut(music, [tmp_path / "none"], out=out)
    with pytest.raises(BadValue, match="give longer ones"):
        api.cut(music, [tmp_path / "short.mp4"], out=out)
    with pytest.raises(BadValue, match=r"shot is 0\.1"):
        api.cut(music, shots, out=out, shot=0.1)
    with pytest.raises(BadFile, match="name of a film"):
        api.cut(music, shots, out=tmp_path / "film.gif")
    with pytest.raises(BadFile):
        api.cut(folder / "no.wav", shots, out=out)
    with pytest.raises(BadRun):
        api.cut(music, shots, out=out, run=tmp_path / "no-run")
    assert not out.exists()
    out.write_text("mine")
    with pytest.raises(BadFile, match="exists"):
        api.cut(music, shots, out=out)
    assert out.read_text() == "mine"
