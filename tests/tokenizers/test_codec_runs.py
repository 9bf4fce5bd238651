"""Loom runs over the codes of pretrained codecs of sounds."""

from pathlib import Path

import numpy as np
import pytest
import torch
from codecs_on_disk import RATE, write_codec

import modaloom.api as modaloom
from modaloom.core.errors import BadValue
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_value import Audio
from modaloom.runs.config_io import override

pytest.importorskip("transformers")

SMALL = (
    *("loom.width=16", "loom.num_layers=1", "loom.num_heads=2", "training.precision=fp32"),
    *("training.tokenizer.batch_size=4", "training.loom.batch_size=8", "loom.sampling.steps=2"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, random = tmp_path_factory.mktemp("pairs"), np.random.default_rng(0)
    for i in range(24):
        wave = 0.2 * random.normal(size=(1, 300 + 7 * i)).clip(-4, 4)
        AUDIO.write(Audio(wave.astype(np.float32), RATE), root / f"{i:02d}.speech.wav")
        (root / f"{i:02d}.txt").write_text(("one", "two")[i % 2])
    return root


def train(folder: Path, out: Path, place: Path, *settings: str) -> modaloom.TrainedRun:
    own = [f"streams.speech.tokenizer.from={place}", *settings]
    config = override(LoomRunConfig(), [*SMALL, *own])
    run = modaloom.train(folder, out=out, steps=2, config=config)
    assert isinstance(run, modaloom.TrainedRun)
    return run


def test_a_run_over_frozen_codes_is_trained_and_draws(folder: Path, tmp_path: Path) -> None:
    codec = write_codec("Mimi", tmp_path / "mimi")
    frozen = "streams.speech.tokenizer.frozen=true", "streams.speech.tokenizer.num_quantizers=3"
    run = train(folder, tmp_path / "run", tmp_path / "mimi", *frozen)
    assert set(run.run.training.steps) == {"loom"}
    sounds = [AUDIO.read(path) for path in sorted(folder.glob("*.wav"))[:2]]
    codes = run.model.encode("speech", sounds)
    with torch.no_grad():
        theirs = codec.encode(torch.from_numpy(sounds[0].samples)[None], num_quantizers=3).audio_codes[0]
    assert torch.equal(codes[0, : theirs.shape[1]], theirs.T)
    run.save_pretrained(tmp_path / "hub")
    for place in (run.path, tmp_path / "hub"):
        again = modaloom.from_pretrained(place)
        assert isinstance(again, modaloom.TrainedRun)
        assert torch.equal(again.model.encode("speech", sounds), codes)
    (drawn,) = run.generate(given={"text": "one"}, want="speech", n=1)
    assert drawn["speech"].rate == RATE
    modaloom.tokenize(run.path, folder, tmp_path / "codes")
    assert modaloom.detokenize(run.path, tmp_path / "codes", tmp_path / "back") == 24
    with pytest.raises(BadValue, match="pretrained codec are not exported"):
        modaloom.export(run.path, out=tmp_path / "onnx", format="onnx")


def test_its_decoder_is_trained_on(folder: Path, tmp_path: Path) -> None:
    codec = write_codec("Dac", tmp_path / "dac")
    run = train(folder, tmp_path / "run", tmp_path / "dac", "streams.speech.tokenizer.frozen=false")
    assert set(run.run.training.steps) == {"audio", "loom"}
    state = run.model.streams["speech"].tokenizer.state_dict()
    for part, same in (("encoder", True), ("quantizer", True), ("decoder", False)):
        theirs = codec.get_submodule(part).state_dict()
        assert all(torch.equal(state[f"{part}.network.{n}"], t) for n, t in theirs.items()) == same
    (tmp_path / "dac").rename(tmp_path / "gone")
    adapted = modaloom.train(folder, out=tmp_path / "more", start=run.path, steps=1, samples=1)
    assert isinstance(adapted, modaloom.TrainedRun)
    taken = adapted.model.streams["speech"].tokenizer.state_dict()
    assert all(torch.equal(taken[name], tensor) for name, tensor in state.items())


def test_options_of_the_codec_are_its_own(folder: Path, tmp_path: Path) -> None:
    write_codec("Dac", tmp_path / "dac")
    with pytest.raises(BadValue, match=r"streams\.speech starts as .*leave out tokenizer\.codebook_size"):
        train(folder, tmp_path / "run", tmp_path / "dac", "streams.speech.tokenizer.codebook_size=16")
    write_codec("Dac", tmp_path / "other", sampling_rate=16000)
    with pytest.raises(BadValue, match="read as 8,000 Hz"):
        train(folder, tmp_path / "run", tmp_path / "other")
    assert not (tmp_path / "run").exists()
