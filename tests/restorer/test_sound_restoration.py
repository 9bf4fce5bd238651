"""Restorers of sounds from file to file: rates, lengths, channels, refusals. Oracle: the files."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modaloom import api as modaloom
from modaloom.core.errors import BadValue, ModaloomError
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.restorer.restoration import RestoredRun, RestoreOptions

RATE = 16_000
SMALL = (
    *("restorer.local.width=16", "restorer.local.num_res_blocks=1", "restorer.crop_sizes=[8]"),
    "training.restorer.batch_size=4",
)


def hum(n: int, seed: int = 0, *, rate: int = RATE, channels: int = 1, **options: Any) -> Audio:
    """Harmonics up to half of the rate, in a little noise."""
    random, t = np.random.default_rng(seed), np.arange(n) / rate
    hz = random.uniform(150, 300, channels)[:, None]
    waves = sum(0.2 / k * np.sin(2 * np.pi * k * hz * t) for k in range(1, int(rate / 2 / 300)))
    wave = (waves + 0.01 * random.normal(size=(channels, n))).clip(-1, 1)
    return Audio((np.round(wave * 32767) / 32768).astype(np.float32), rate, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hums") / "data"
    for i in range(12):
        path = root / ("test" if i >= 9 else "train") / f"{i:02d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        AUDIO.write(hum(RATE // 2 + 37 * i, i, channels=1 + i % 2), path)
    return root


@pytest.fixture(scope="module")
def run_of(folder: Path) -> Callable[[str], RestoredRun]:
    @cache
    def trained(task: str) -> RestoredRun:
        out = folder.parent / task
        run = modaloom.train(folder, out=out, task=task, steps=3, settings=[*SMALL], device="cpu", samples=2)
        assert isinstance(run, RestoredRun)
        return run

    return trained


@pytest.mark.parametrize(
    "task",
    ["superres", "denoise", *(pytest.param(task, marks=pytest.mark.full) for task in ("declip", "inpaint"))],
)
def test_a_run_is_scored_and_shown(run_of: Callable[[str], RestoredRun], folder: Path, task: str) -> None:
    run = run_of(task)
    rows = {row.metric: row for row in modaloom.evaluate(run, folder, n=2)}
    assert {"mel_distance", "si_sdr", "duration_error"} <= rows.keys()
    assert rows["mel_distance"].floor is not None
    assert rows["mel_distance"].baseline is not None
    assert "<audio" in (run.path / "report.html").read_text()
    assert run.restoration.plan.facts("audio") == {"rate": RATE}


@pytest.mark.parametrize("n", [1, 80, 4001])
def test_a_sound_of_half_of_the_rate_has_twice_as_many_samples(
    run_of: Callable[[str], RestoredRun], n: int, tmp_path: Path
) -> None:
    AUDIO.write(hum(n, rate=RATE // 2), tmp_path / "a.wav")
    (path,) = modaloom.restore(run_of("superres").path, tmp_path / "a.wav", out=tmp_path / "out")
    made = AUDIO.read(path)
    assert (made.rate, made.samples.shape) == (RATE, (1, 2 * n))


@pytest.mark.parametrize("task", ["superres", "denoise", "declip"])
@pytest.mark.parametrize("n", [1, 160, 4001])
def test_a_sound_of_the_rate_keeps_its_length_and_channels(
    run_of: Callable[[str], RestoredRun], task: str, n: int
) -> None:
    for channels in (1, 2):
        told: list[str] = []
        made = run_of(task).restore(hum(n, channels=channels), notify=told.append)
        assert (made.rate, made.samples.shape) == (RATE, (channels, n))
        assert not told


def test_each_channel_is_restored_by_itself(run_of: Callable[[str], RestoredRun]) -> None:
    both = hum(2000, channels=2)
    for mode in ("mean", "sample"):
        options = RestoreOptions(mode=mode)
        made = run_of("denoise").restore(both, options)
        for channel, alone in zip(made.samples, both.samples, strict=True):
            single = run_of("denoise").restore((alone[None], RATE), options)
            assert np.array_equal(single.samples[0], channel)


def test_other_rates_are_told(run_of: Callable[[str], RestoredRun]) -> None:
    told: list[str] = []
    made = run_of("denoise").restore(hum(4410, rate=44_100), notify=told.append)
    assert (made.rate, made.samples.shape, told) == (RATE, (1, 1600), ["44,100 Hz became 16,000"])
    told.clear()
    made = run_of("superres").restore(hum(4800, rate=48_000), notify=told.append)
    assert (made.rate, made.samples.shape, told) == (RATE, (1, 1600), ["48,000 Hz became 16,000"])


def test_samples_outside_of_gaps_and_below_the_level_stay(run_of: Callable[[str], RestoredRun]) -> None:
    source = hum(3000)
    gap = np.zeros((1, 3000), np.float32)
    gap[0, 1000:1100] = 1
    made = run_of("inpaint").restore(source, RestoreOptions(mask=(gap, RATE)))
    assert np.array_equal(made.samples[gap == 0], source.samples[gap == 0])
    clipped = Audio(source.samples.clip(-0.125, 0.125), RATE)
    found = run_of("declip").restore(clipped, RestoreOptions(options={"gain": 1})).samples
    kept = np.abs(clipped.samples) < 0.125
    assert np.array_equal(found[kept], clipped.samples[kept])
    assert (np.abs(found[~kept]) >= 0.125).all()
    halved = run_of("declip").restore(clipped).samples
    assert np.abs(halved[kept] - clipped.samples[kept] / 2).max() <= 2**-15


@pytest.mark.parametrize("task", ["superres", "denoise", "declip"])
def test_silence_and_a_constant_are_answered(run_of: Callable[[str], RestoredRun], task: str) -> None:
    for value in (0.0, 0.25):
        held = Audio(np.full((1, 3000), value, np.float32), RATE // (2 if task == "superres" else 1))
        made = run_of(task).restore(held)
        assert np.isfinite(made.samples).all()
        if task != "denoise" and value == 0:
            assert not made.samples.any()


def test_what_cannot_be_restored_is_refused_by_name(
    run_of: Callable[[str], RestoredRun], folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadValue, match="needs a mask"):
        run_of("inpaint").restore(hum(500))
    with pytest.raises(BadValue, match="the mask is 400, the signal 500"):
        run_of("inpaint").restore(hum(500), RestoreOptions(mask=(np.ones((1, 400), np.float32), RATE)))
    with pytest.raises(BadValue, match="the mask marks nothing"):
        run_of("inpaint").restore(hum(500), RestoreOptions(mask=(np.zeros((1, 500), np.float32), RATE)))
    with pytest.raises(BadValue, match="1 samples that are NaN"):
        run_of("denoise").restore((np.array([0.1, np.nan], np.float32), RATE))
    for task in ("colorize", "jpeg", "restore"):
        with pytest.raises(BadValue, match=f"{task} is no task of audio; choose from .*declip"):
            modaloom.train(folder, out=tmp_path / task, task=task, steps=1, device="cpu")


def test_pictures_have_no_task_of_sounds_alone(tmp_path: Path) -> None:
    for i in range(8):
        Image.new("RGB", (16, 16), (30 * i, 0, 0)).save(tmp_path / f"{i}.png")
    with pytest.raises(ModaloomError, match="declip is no task of image; choose from superres"):
        modaloom.train(tmp_path, out=tmp_path.parent / "run", task="declip", steps=1, device="cpu")


def test_the_commonest_rate_of_a_folder_is_that_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for i, rate in enumerate([44_100, 22_050, 22_050, 8_000, 22_050, 22_050]):
        AUDIO.write(hum(rate // 4, i, rate=rate), tmp_path / "data" / f"{i}.wav")
    run = modaloom.train(
        tmp_path / "data", out=tmp_path / "run", task="denoise", steps=1, settings=[*SMALL], device="cpu"
    )
    assert isinstance(run, RestoredRun)
    assert run.restore(hum(100, rate=22_050)).rate == 22_050
