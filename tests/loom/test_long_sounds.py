"""Files far longer than the limit of a run: encoded whole, and decoded to as many samples."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_audio_run import SMALL, tone

import modaloom
from modaloom.core.errors import PartlyFailed
from modaloom.data.shards import shard_files
from modaloom.loom import codes as codes_module
from modaloom.loom.run import TrainedRun
from modaloom.modalities import audio_file
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.restorer.restoration import RestoredRun

RATE = 16_000
LENGTHS = {"short": (441, 44_100), "fits": (5_001, RATE), "long": (9 * 48_000 + 7, 48_000), "zero": (1, RATE)}
"""Key → samples and rate."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Of sounds of 0.4 s."""
    root = tmp_path_factory.mktemp("tones")
    for i in range(20):
        AUDIO.write(tone("low" if i % 2 else "high", 0.4), root / f"{i:02d}.speech.wav")
        (root / f"{i:02d}.txt").write_text("low" if i % 2 else "high")
    out = tmp_path_factory.mktemp("run") / "run"
    return modaloom.train(root, out=out, steps=2, settings=SMALL, samples=1, device="cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    root.mkdir()
    for key, (n, rate) in LENGTHS.items():
        wave = 0.3 * np.sin(np.arange(n) / rate * 2 * np.pi * 500)
        AUDIO.write(Audio(wave[None].astype(np.float32), rate), root / f"{key}.speech.wav")
        (root / f"{key}.txt").write_text("low")
    (root / "silent.txt").write_text("high")
    return root


def test_long_files_are_encoded_whole_and_come_back_as_long(
    run: TrainedRun, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In shards that are not wider than they must be; nothing is told to be cut."""
    monkeypatch.setattr(codes_module, "SHARD_POSITIONS", 240)
    said: list[str] = []
    assert modaloom.tokenize(run.path, folder, out=tmp_path / "codes", notify=said.append) == 5
    assert not said
    shards = [file.read() for file in shard_files(tmp_path / "codes")]
    assert [shard.keys for shard in shards] == [["fits"], ["long"], ["short", "silent", "zero"]]
    assert [shard.codes["speech"].shape[1] for shard in shards] == [8, 226, 1]
    assert [shard.length["speech"].tolist() for shard in shards] == [[5_001], [144_002], [160, 0, 1]]
    assert [shard.present["speech"].tolist() for shard in shards] == [[True], [True], [True, False, True]]
    modaloom.detokenize(run.path, tmp_path / "codes", out=tmp_path / "back")
    for key, (n, rate) in LENGTHS.items():
        back = AUDIO.read(tmp_path / "back" / f"{key}.speech.wav")
        assert (back.samples.shape, back.rate) == ((1, max(1, round(n * RATE / rate))), RATE)
    assert not (tmp_path / "back" / "silent.speech.wav").exists()
    assert (tmp_path / "back" / "silent.text.txt").exists()


def test_a_long_file_that_is_cut_short_is_named_and_left_out(
    run: TrainedRun, folder: Path, tmp_path: Path
) -> None:
    """Though its codes were nearly done when its end was missing."""
    path = folder / "long.speech.wav"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(PartlyFailed, match=r"long\.speech\.wav: is cut short"):
        modaloom.tokenize(run.path, folder, out=tmp_path / "codes")
    modaloom.detokenize(run.path, tmp_path / "codes", out=tmp_path / "back")
    names = {path.name for path in (tmp_path / "back").glob("*.wav")}
    assert names == {"fits.speech.wav", "short.speech.wav", "zero.speech.wav"}


def test_a_sound_that_no_file_holds_is_named_and_all_others_are_written(
    run: TrainedRun, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wav has at most 4 GiB."""
    modaloom.tokenize(run.path, folder, out=tmp_path / "codes")
    monkeypatch.setattr(audio_file, "MAX_WAV", 3 * LENGTHS["fits"][0])
    with pytest.raises(PartlyFailed, match=r"4 samples are in .*\n  long: .* bytes of samples are more"):
        modaloom.detokenize(run.path, tmp_path / "codes", out=tmp_path / "back")
    names = {path.name for path in (tmp_path / "back").glob("*.wav")}
    assert names == {"fits.speech.wav", "short.speech.wav", "zero.speech.wav"}
    monkeypatch.setattr(audio_file, "MAX_WAV", 0)
    with pytest.raises(PartlyFailed, match=r"1 samples? "):
        modaloom.detokenize(run.path, tmp_path / "codes", out=tmp_path / "words")


def test_what_the_tokenizer_makes_of_a_sound_is_as_long(run: TrainedRun) -> None:
    """For the ceiling of the scores; the codes alone end with a block of four frames."""
    sound = Audio(tone("low", 0.4).samples[:, :5_001], RATE)
    (rebuilt,) = run.model.decode("speech", run.model.encode("speech", [sound]))
    assert rebuilt.samples.shape == (1, 5_120)
    assert run.model.trimmed("speech", rebuilt, sound).samples.shape == (1, 5_001)


def test_a_sound_that_parts_are_kept_of_keeps_its_length_to_the_sample(
    run: TrainedRun, tmp_path: Path
) -> None:
    """Between whole codes of 640 samples; kept to its end it goes on, and is not cut."""
    sound = Audio(tone("low", 0.4).samples[:, :5_001], RATE)
    asked: dict[str, Any] = {"given": {"speech": sound}, "want": ["speech"], "n": 2}
    for change in ({"keep": {"speech": [(0, 0.1)]}}, {"strength": {"speech": 0.5}}):
        for made in run.generate(**asked, **change):
            assert made["speech"].samples.shape == (1, 5_001)
        written = [*modaloom.generate(run, **asked, **change, out=tmp_path / next(iter(change)))]
        assert {one.streams["speech"].samples.shape[1] for one in written} == {5_001}
    gone_on = run.generate(**asked | {"n": 8}, keep={"speech": [(0, 9)]})
    assert {made["speech"].samples.shape[1] for made in gone_on} <= {5_001, 5_760, 6_400}


def test_what_ends_before_its_length_is_told(run: TrainedRun, tmp_path: Path) -> None:
    said: list[str] = []
    for seed in range(2):
        asked: dict[str, Any] = {"want": "speech", "n": 4, "length": 1.0, "seed": seed, "notify": said.append}
        drawn = [*modaloom.generate(run, **asked, out=tmp_path / str(seed))]
        short = sum(one.streams["speech"].seconds < 0.98 for one in drawn)
        told = [f"speech: {short} of 4 values end by themselves before length 1"] * (short > 0)
        assert [sentence for sentence in said if "length" in sentence] == told
        said.clear()


def test_what_a_tokenizer_makes_of_sounds_of_any_length_is_refined(
    run: TrainedRun, folder: Path, tmp_path: Path
) -> None:
    """By crops: only what the tokenizer's limit cuts is left out of training."""
    small = ["restorer.local.width=16", "restorer.local.num_res_blocks=1", "restorer.crop_sizes=[8]"]
    own: dict[str, Any] = {"task": "refine", "tokenizers": run.path, "streams": ["speech"]}
    refiner = modaloom.train(folder, out=tmp_path / "run", steps=1, settings=small, device="cpu", **own)
    assert isinstance(refiner, RestoredRun)
    assert refiner.restoration.plan.facts("speech")["rate"] == RATE
    for n in (1, 5_001, 20_000):
        made = refiner.restore((np.zeros(n, np.float32), RATE))
        assert (made.rate, made.samples.shape) == (RATE, (1, n))
