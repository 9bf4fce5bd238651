"""Files of any length to codes and back: the same for any pieces, and as the whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.loom.config import LoomRunConfig
from modaloom.modalities import MODALITIES, audio_packing
from modaloom.modalities.audio import AUDIO, unpack_file
from modaloom.modalities.audio_file import read_pieces
from modaloom.modalities.audio_packing import pack_pieces
from modaloom.modalities.audio_spec import AudioLimits
from modaloom.modalities.audio_value import Audio
from modaloom.modalities.signal_codec import Pieces
from modaloom.runs.config_io import override
from modaloom.spectral import blockwise
from modaloom.tokenizers import file_codec
from modaloom.tokenizers.file_codec import FileCodec
from modaloom.tokenizers.vqvae import VQVAETokenizer

RATE = 16_000


def noise(seconds: float, rate: int = RATE, channels: int = 1) -> Audio:
    """Of a loudness that comes and goes."""
    n = round(seconds * rate)
    wave = np.random.default_rng(0).normal(size=(channels, n)) * np.sin(np.arange(n) / rate * 5) ** 2
    return Audio((0.2 * wave).clip(-1, 1).astype(np.float32), rate)


@pytest.fixture(scope="module")
def tokenizer() -> VQVAETokenizer:
    """Of random weights, with codes of vectors that there are, for sounds of at most 2 s."""
    options = (
        override(LoomRunConfig(), ["tokenizers.audio.widths=[32,32]"]).tokenizer_of("a", "audio").options
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        (group,) = VQVAETokenizer.fit(AUDIO, {"a": [noise(3)]}, AudioLimits(max_seconds=2), options)
        for p in group["a"].parameters():
            torch.nn.init.normal_(p, std=0.1)
        crops = [group["a"].crop(group["a"].prepare(noise(2)), seed) for seed in range(32)]
        group["a"].train().loss(torch.from_numpy(np.stack(crops)), torch.Generator().manual_seed(0))
    return group["a"].eval()


@pytest.fixture
def files(tokenizer: VQVAETokenizer, monkeypatch: pytest.MonkeyPatch) -> FileCodec:
    """With a border every 0.64 s."""
    monkeypatch.setattr(file_codec, "CELLS", 16)
    monkeypatch.setattr(audio_packing, "FRAMES", 32)
    monkeypatch.setattr(blockwise, "BLOCK", 64)
    assert tokenizer.files is not None
    return tokenizer.files


def in_pieces(size: int) -> Pieces:
    return Pieces(lambda path, spec: pack_pieces(read_pieces(path, size=size), spec), unpack_file)


def written(folder: Path, sound: Audio) -> Path:
    AUDIO.write(sound, folder / "a.wav")
    return folder / "a.wav"


def test_frames_are_those_of_the_whole(files: FileCodec, tmp_path: Path) -> None:
    """Oracle: `pack`. Of a loud square wave, which resampling makes louder than full scale."""
    n = 100_001
    square = np.sign(np.sin(np.arange(n) / 30)) * np.array([[1.0], [0.9]])
    sound, spec = Audio(square.astype(np.float32), 44_100), {**files.spec, "size": [10_000]}
    parts, lengths = zip(*in_pieces(1_000).pack(written(tmp_path, sound), spec))
    whole = AUDIO.signal.pack(AUDIO.read(tmp_path / "a.wav"), spec)
    assert sum(lengths) == round(n * RATE / 44_100)
    assert {part.shape[1] for part in parts[:-1]} == {32}
    assert np.abs(np.concatenate(parts, 1).astype(int) - whole).max() <= 1


def test_codes_do_not_depend_on_the_pieces(files: FileCodec, tmp_path: Path) -> None:
    path = written(tmp_path, noise(5.003, 44_100, 2))
    found = [replace(files, pieces=in_pieces(size)).encode(path) for size in (1_000, 44_100, 2**18)]
    assert {one.length for one in found} == {round(5.003 * RATE)}
    assert {tuple(one.codes.shape) for one in found} == {(-(-501 // 4), 8)}
    assert all(torch.equal(one.codes, found[0].codes) for one in found)


def test_codes_are_those_of_the_whole(files: FileCodec, tokenizer: VQVAETokenizer, tmp_path: Path) -> None:
    """Oracle: the encoder on all frames at once. What differs is rounding at a tie."""

    def check(found: torch.Tensor, whole: torch.Tensor, packed: np.ndarray) -> None:
        latents = tokenizer._encode(AUDIO.signal.normalize(torch.from_numpy(packed[None])))[0, : len(found)]
        far, near = (
            (tokenizer.quantizer.decode(codes) - latents).square().sum(-1) for codes in (found, whole)
        )
        torch.testing.assert_close(far, near, rtol=1e-3, atol=1e-4)
        assert float((found == whole).float().mean()) > 0.99

    for seconds in (0.01, 0.64, 5.003):
        sound = noise(seconds)
        packed = AUDIO.signal.pack(sound, {**tokenizer.spec, "size": [10_000]})
        whole = tokenizer.encode_batch(torch.from_numpy(packed[None]))[0]
        found = files.encode(written(tmp_path, sound))
        assert found.length == sound.samples.shape[1]
        assert found.codes.shape == whole.shape
        assert seconds < 5 or len(whole.unique()) > 20
        check(found.codes.long(), whole, packed)
    short = noise(1.7)
    codes = files.encode(written(tmp_path, short)).codes.long()
    check(codes, tokenizer.encode([short])[0, : len(codes)], AUDIO.signal.pack(short, tokenizer.spec))


def test_sound_is_that_of_all_codes_at_once(
    files: FileCodec, tokenizer: VQVAETokenizer, tmp_path: Path
) -> None:
    """Oracle: the decoder on all codes, then Griffin–Lim; and exactly as long as what was encoded."""
    found = files.encode(written(tmp_path, noise(5.003)))
    files.decode(found, tmp_path / "back.wav")
    back, (whole,) = AUDIO.read(tmp_path / "back.wav"), tokenizer.decode(found.codes[None].long())
    assert back.samples.shape == (1, found.length)
    assert whole.samples.shape == (1, 126 * 640)
    step = np.abs(back.samples - whole.samples[:, : found.length])
    assert np.quantile(step, 0.9) < 0.01 * whole.samples.std()
    assert AUDIO.compare(back, whole, {})["mel_distance"] < 1


@pytest.mark.parametrize("n", [1, 159, 160, 161, 639, 641, 30_011])
def test_length_is_exact(n: int, files: FileCodec, tokenizer: VQVAETokenizer, tmp_path: Path) -> None:
    for rate in (RATE, 48_000):
        sound = noise(n / rate, rate)
        files.decode(files.encode(written(tmp_path, sound)), tmp_path / "back.wav")
        expected = max(1, round(n * RATE / rate))
        assert AUDIO.read(tmp_path / "back.wav").samples.shape == (1, expected)
        (rebuilt,) = tokenizer.decode(tokenizer.encode([sound]))
        assert tokenizer.trimmed(rebuilt, sound).samples.shape[1] == expected


def test_the_halo_is_that_of_encoder_and_decoder(tokenizer: VQVAETokenizer) -> None:
    assert tokenizer.files is not None
    halos = tokenizer.files.encoded.halo, tokenizer.files.decoded.halo
    assert halos == (tokenizer.encoder.halo[0], tokenizer.decoder.halo[0])


def test_signals_of_one_size_have_no_file_codec() -> None:
    options = LoomRunConfig().tokenizer_of("image", "image").options
    picture = MODALITIES["image"]
    value = Image.new("RGB", (16, 16))
    (group,) = VQVAETokenizer.fit(picture, {"image": [value]}, picture.limits, options)
    assert group["image"].files is None
    assert group["image"].trimmed(value, value) is value


@pytest.mark.parametrize(("seconds", "rate"), [(2.0, 22_050), (1.003, RATE), (1.0, RATE)])
def test_a_sound_that_is_kept_to_its_end_is_kept_whole(seconds: float, rate: int) -> None:
    """Frames are of whole samples, 220 of 22,050 a second, and the last one reaches past the end."""
    options = LoomRunConfig().tokenizer_of("a", "audio").options
    limits = AudioLimits(max_seconds=2, max_rate=22_050)
    sound = noise(seconds, rate)
    (group,) = VQVAETokenizer.fit(AUDIO, {"a": [noise(2, rate)]}, limits, options)
    codes = -(-group["a"].prepare(sound).shape[1] // 4)
    assert group["a"].positions_in([(0, seconds)], sound)[:codes].all()
    assert not group["a"].positions_in([(0, seconds - 0.001)], sound)[codes - 1]
