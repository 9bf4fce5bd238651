"""A run on sounds and words: learned, generated, scored, shown and written; broken files are named."""

import re
from pathlib import Path

import numpy as np
import pytest

import modaloom
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.runs.config_io import override

RATE = 16_000
PITCHES = {"low": 220.0, "high": 1760.0}
SMALL = [
    "loom.width=32",
    "loom.num_layers=1",
    "loom.num_heads=2",
    "loom.sampling.steps=4",
    "tokenizers.audio.widths=[32,32]",
]


def tone(word: str, seconds: float) -> Audio:
    t = np.arange(round(RATE * seconds)) / RATE
    return Audio((0.4 * np.sin(2 * np.pi * PITCHES[word] * t))[None].astype(np.float32), RATE, "int24")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tones") / "data"
    root.mkdir()
    random = np.random.default_rng(0)
    for i in range(60):
        word = [*PITCHES][i % 2]
        AUDIO.write(tone(word, random.uniform(0.2, 0.4)), root / f"{i:02d}.wav")
        (root / f"{i:02d}.txt").write_text(word)
    (root / "60.wav").write_bytes((root / "00.wav").read_bytes()[:-1000])
    (root / "60.txt").write_text("low")
    return root


def test_inspect_tells_sounds_and_what_is_broken(folder: Path) -> None:
    found = modaloom.inspect(folder)
    facts = found.streams["audio"]
    assert (facts.modality, facts.count, facts.broken) == ("audio", 60, 1)
    assert facts.facts["rate"] == "16,000 Hz"
    assert any("cut short" in problem.reason for problem in found.problems)


def test_a_modality_has_own_defaults_of_its_tokenizer() -> None:
    """Below those of the run and of the stream, and of its own kind alone."""
    usual = LoomRunConfig()
    assert usual.tokenizer_of("audio", "audio").options.strides == (4,)
    assert usual.tokenizer_of("image", "image").options.strides == ()
    settings = ["tokenizers.audio.strides=[8]", "streams.music.tokenizer.strides=[16]"]
    changed = override(usual, settings)
    assert changed.tokenizer_of("audio", "audio").options.strides == (8,)
    assert changed.tokenizer_of("audio", "audio").options.loss == "level_weighted"
    assert changed.tokenizer_of("music", "audio").options.strides == (16,)
    other = override(usual, ["streams.audio.tokenizer=categorical"])
    assert other.tokenizer_of("audio", "audio").kind == "categorical"


def test_a_whole_run(folder: Path, tmp_path: Path) -> None:
    run = modaloom.train(folder, out=tmp_path / "run", steps=6, settings=SMALL, device="cpu")
    spec = run.model.specs["audio"]
    assert (spec["type"], spec["channels"], spec["rate"]) == ("int24", 80, RATE)
    assert 30 <= spec["size"][0] <= 40
    assert run.model.streams["audio"].tokenizer.strides == (4,)
    (drawn,) = run.generate(given={"text": "low"}, want="audio", n=1)
    assert drawn["audio"].samples.shape == (1, 160 * spec["size"][0])
    written = [*modaloom.generate(run, given={"text": "low"}, want="audio", n=1, out=tmp_path / "out")]
    again = AUDIO.read(tmp_path / "out" / "0000.audio.wav")
    assert (again.type, again.rate) == ("int24", RATE)
    assert np.array_equal(again.integers, written[0].streams["audio"].integers)
    talk = modaloom.chat(run, out=tmp_path / "talk")
    said = talk.say("low -> audio")
    assert ({*said.given}, said.files["audio"].name) == ({"text"}, "0000.audio.wav")
    assert str(said) == f"audio: {said.files['audio']}"
    told = talk.say(f"@{said.files['audio']}")  # a sound alone is asked what it says
    assert ({*told.given}, {*told.values}) == ({"audio"}, {"text"})
    assert talk.picture is None
    rows = {row.metric: row for row in modaloom.evaluate(run, folder, n=4) if row.row == "text->audio"}
    assert rows["mel_distance"].ceiling is not None
    given = run.generate(given={"audio": (tone("low", 0.3).samples, RATE)}, want="text", n=1)
    assert isinstance(given[0]["text"], str)
    page = (tmp_path / "run" / "report.html").read_text()
    assert len(re.findall(r'<audio controls [^>]*src="data:audio/mpeg;base64,', page)) > 4
    assert "mel_distance" in page
    (atlas,) = re.findall(r'<section id="code-atlas">.*?</section>', page, re.S)
    heard = len([*(run.path / "samples").glob("atlas.audio.*.wav")])
    assert heard > 1
    assert atlas.count("<audio") == heard


def test_waveforms_are_restored(folder: Path, tmp_path: Path) -> None:
    small = ("restorer.local.width=16", "restorer.local.num_res_blocks=1", "restorer.crop_sizes=[64]")
    run = modaloom.train(
        folder, out=tmp_path / "run", task="denoise", steps=2, settings=small, streams=["audio"], device="cpu"
    )
    (found,) = modaloom.restore(run.path, [folder / "00.wav"], out=tmp_path / "out")
    again, source = AUDIO.read(found), AUDIO.read(folder / "00.wav")
    assert again.samples.shape == source.samples.shape
    assert again.rate == RATE
