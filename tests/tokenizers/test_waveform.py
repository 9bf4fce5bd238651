"""The codec of sounds that is learned from wave to wave."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import modaloom
from modaloom.core.errors import BadValue
from modaloom.modalities import MODALITIES
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_file import read_pieces
from modaloom.modalities.audio_packing import fitted
from modaloom.modalities.audio_spec import AudioLimits
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.signal_codec import Pieces
from modaloom.modalities.waveform import to_array, unpack_file
from modaloom.tokenizers import WaveformTokenizer, file_codec

RATE = 16_000
SMALL = {"strides": (64,), "widths": (8,), "crop_size": (1024,), "num_quantizers": 2}


def noise(seconds: float, rate: int = RATE) -> Audio:
    wave = np.random.default_rng(0).normal(size=(1, round(seconds * rate)))
    return Audio((0.1 * wave).clip(-1, 1).astype(np.float32), rate, "int16")


@pytest.fixture(scope="module")
def tokenizer() -> WaveformTokenizer:
    """Of random weights, with codes of vectors that there are, for sounds of at most 2 s."""
    options = replace(WaveformTokenizer.Config(), **SMALL)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        (group,) = WaveformTokenizer.fit(AUDIO, {"a": [noise(3)]}, AudioLimits(max_seconds=2), options)
        for p in group["a"].parameters():
            torch.nn.init.normal_(p, std=0.3 if p.ndim > 1 else 0.01)  # so that the sound decides
        crops = [group["a"].crop(group["a"].prepare(noise(2)), seed) for seed in range(16)]
        group["a"].train().loss(torch.from_numpy(np.stack(crops)), torch.Generator().manual_seed(0))
    return group["a"].eval()


def test_signals_are_the_samples(tokenizer: WaveformTokenizer) -> None:
    sound, codec = noise(1.001), AUDIO.signal.waveform
    assert codec is not None
    packed = tokenizer.prepare(sound)
    assert np.array_equal(packed, sound.integers)
    assert np.array_equal(codec.unpack(packed, tokenizer.spec).samples, sound.integers / 2**15)
    assert (tokenizer.channels, tokenizer.sides) == (1, (2 * RATE,))
    (rebuilt,) = tokenizer.decode(tokenizer.encode([sound]))
    assert rebuilt.samples.shape == (1, 251 * 64)
    assert tokenizer.trimmed(rebuilt, sound).samples.shape == sound.samples.shape


def test_a_sound_whose_length_is_drawn_as_none_is_a_silent_sample(tokenizer: WaveformTokenizer) -> None:
    """As of spectrograms."""
    shape = tokenizer.shape
    (nothing,) = tokenizer.decode(torch.full((1, *shape.grid, shape.depth), shape.padding))
    assert nothing.samples.tolist() == [[0.0]]


def test_kept_parts_are_counted_in_seconds(tokenizer: WaveformTokenizer) -> None:
    kept = tokenizer.positions_in([(0.5, 1.0)])
    assert kept.nonzero()[:, 0].tolist() == [*range(125, 250)]


@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_codes_of_files_do_not_depend_on_pieces(
    rate: int, tokenizer: WaveformTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: the encoder on the whole, but for rounding at ties; the length comes back exactly."""
    monkeypatch.setattr(file_codec, "CELLS", 16)
    AUDIO.write(noise(1.7, rate), tmp_path / "a.wav")

    def pieces(size: int) -> Pieces:
        sounds = lambda path: read_pieces(path, size=size)  # noqa: E731
        return Pieces(
            lambda path, spec: ((to_array(s), s.shape[1]) for s in fitted(sounds(path), spec)), unpack_file
        )

    assert tokenizer.files is not None
    found = [replace(tokenizer.files, pieces=pieces(n)).encode(tmp_path / "a.wav") for n in (999, 2**16)]
    whole = tokenizer.encode([AUDIO.read(tmp_path / "a.wav")])[0]
    assert torch.equal(found[0].codes, found[1].codes)
    assert found[0].length == round(1.7 * RATE)
    assert float((found[0].codes.long() == whole[: len(found[0].codes)]).float().mean()) > 0.99
    assert len(whole.unique()) > 20
    tokenizer.files.decode(found[0], tmp_path / "back.wav")
    assert AUDIO.read(tmp_path / "back.wav").samples.shape == (1, round(1.7 * RATE))


def test_other_modalities_have_no_waveform() -> None:
    picture = MODALITIES["image"]
    with pytest.raises(BadValue, match="image has no waveform; give this tokenizer to sounds alone"):
        WaveformTokenizer(picture, {"size": [8, 8], "channels": 3}, WaveformTokenizer.Config())


def test_a_run_is_trained_saved_and_scored(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for i in range(40):
        t = np.arange(6000 + 10 * i) / RATE
        wave = 0.4 * np.sin(2 * np.pi * (300, 1200)[i % 2] * t)
        AUDIO.write(Audio(wave[None].astype(np.float32), RATE), tmp_path / f"data/{i:02d}.wav")
        (tmp_path / f"data/{i:02d}.txt").write_text(("low", "high")[i % 2])
    settings = [
        *(
            "loom.width=32",
            "loom.num_layers=1",
            "loom.num_heads=2",
            "loom.sampling.steps=4",
            "streams.audio.tokenizer=waveform",
        ),
        *(f"streams.audio.tokenizer.{key}={list(value)}" for key, value in SMALL.items() if key[0] in "swc"),
        "streams.audio.tokenizer.adversary.num_layers=2",
    ]
    modaloom.train(tmp_path / "data", out=tmp_path / "run", steps=4, settings=settings, device="cpu")
    run = modaloom.load(tmp_path / "run")
    tokenizer = run.model.streams["audio"].tokenizer
    assert type(tokenizer) is WaveformTokenizer
    assert (tokenizer.strides, tokenizer.config.num_quantizers) == ((64,), 8)
    (drawn,) = run.generate(given={"text": "low"}, want="audio", n=1)
    assert drawn["audio"].rate == RATE
    row = next(row for row in modaloom.evaluate(run, tmp_path / "data", n=4) if row.row == "text->audio")
    assert row.ceiling is not None
