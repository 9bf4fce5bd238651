"""Files of clips to codes and back: the same for any pieces, as the whole, and with as many frames."""

import weakref
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modaloom.core.windows import windows
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities.base import DataSpec
from modaloom.modalities.signal_codec import Pieces
from modaloom.modalities.video import VIDEO, pack_file, unpack_file
from modaloom.modalities.video_spec import VideoLimits
from modaloom.modalities.video_value import Video
from modaloom.runs.config_io import override
from modaloom.tokenizers import file_codec
from modaloom.tokenizers.file_codec import Blocks, FileCodec
from modaloom.tokenizers.vqvae import VQVAETokenizer

pytest.importorskip("av")

FPS = Fraction(30_000, 1001)
HEIGHT, WIDTH = 18, 30


def clip(n: int, height: int = HEIGHT, width: int = WIDTH) -> Video:
    """Noise that moves, at 29.97 frames a second."""
    wide = np.random.default_rng(0).integers(0, 256, (height, width + 2 * n, 3)).astype(np.uint8)
    return Video.of(np.stack([wide[:, 2 * k : 2 * k + width] for k in range(n)]), FPS)


def made(*settings: str) -> VQVAETokenizer:
    """Of random weights, with codes of vectors that there are, for at most 20 frames."""
    options = [f"tokenizers.video.{one}" for one in ("widths=[4,4,8]", "codebook_size=32", *settings)]
    config = override(LoomRunConfig(), options).tokenizer_of("clip", "video").options
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        limits = VideoLimits(max_fps=60)
        (group,) = VQVAETokenizer.fit(VIDEO, {"clip": [clip(20)]}, limits, config)
        tokenizer = group["clip"]
        for p in tokenizer.parameters():
            torch.nn.init.normal_(p, std=0.2)
        crops = [tokenizer.crop(tokenizer.prepare(clip(20)), seed) for seed in range(16)]
        tokenizer.train().loss(torch.from_numpy(np.stack(crops)), torch.Generator().manual_seed(0))
    return tokenizer.eval()


@pytest.fixture(scope="module", params=["causal=false", "causal=true"])
def tokenizer(request: pytest.FixtureRequest) -> VQVAETokenizer:
    return made(request.param)


@pytest.fixture
def files(tokenizer: VQVAETokenizer, monkeypatch: pytest.MonkeyPatch) -> FileCodec:
    """With a border after as few codes as a halo has."""
    monkeypatch.setattr(file_codec, "CELLS", 1)
    assert tokenizer.files is not None
    return tokenizer.files


def in_pieces(size: int) -> Pieces:
    """Of so many frames."""

    def pack(path: Path, spec: DataSpec) -> Iterator[tuple[np.ndarray, int]]:
        for window in windows((frame for frame, _ in pack_file(path, spec)), size, axis=1):
            yield window.array, window.own

    return Pieces(pack, unpack_file)


def written(folder: Path, value: Video) -> Path:
    VIDEO.write(value, folder / "a.mp4")
    return folder / "a.mp4"


def packed(tokenizer: VQVAETokenizer, path: Path) -> np.ndarray:
    """The whole of a file."""
    return VIDEO.signal.pack(
        VIDEO.read(path), {**tokenizer.spec, "size": [1000, *tokenizer.spec["size"][1:]]}
    )


def test_frames_are_those_of_the_whole(tokenizer: VQVAETokenizer, tmp_path: Path) -> None:
    path = written(tmp_path, clip(83))
    frames, counts = zip(*pack_file(path, tokenizer.spec))
    assert counts == (1,) * 83
    assert np.array_equal(np.concatenate(frames, 1), packed(tokenizer, path))
    slower = {**tokenizer.spec, "fps": "8"}
    assert len([*pack_file(path, slower)]) == round(83 / FPS * 8)


def test_codes_do_not_depend_on_the_pieces(files: FileCodec, tmp_path: Path) -> None:
    path = written(tmp_path, clip(83))
    found = [files.encode(path)]
    found += [replace(files, pieces=in_pieces(size)).encode(path) for size in (3, 16, 1000)]
    assert [one.length for one in found] == [83] * 4
    assert found[0].codes.shape == (21, 3, 4, 4)
    assert found[0].codes.element_size() <= 2
    assert all(torch.equal(one.codes, found[0].codes) for one in found)


@pytest.mark.parametrize("n", [1, 4, 83])
def test_codes_are_those_of_the_whole(
    n: int, files: FileCodec, tokenizer: VQVAETokenizer, tmp_path: Path
) -> None:
    """Oracle: the encoder on all frames at once. What differs is rounding at a tie."""
    path = written(tmp_path, clip(n))
    whole = tokenizer.encode_batch(torch.from_numpy(packed(tokenizer, path)[None]))[0]
    found = files.encode(path).codes
    assert found.shape == whole.shape
    assert (found[..., -1] == -n % 4).all()
    assert n < 83 or len(whole[..., :-1].unique()) > 20
    assert float((found == whole).float().mean()) > 0.995


def test_frames_are_those_of_all_codes_at_once(
    files: FileCodec, tokenizer: VQVAETokenizer, tmp_path: Path
) -> None:
    """Oracle: the decoder on all codes."""
    found = files.encode(written(tmp_path, clip(83)))
    (whole,) = tokenizer.decode_batch(found.codes[None].long())
    parts = np.concatenate([*files._packed(found.codes)], 1)
    assert parts.shape == whole.shape == (3, 83, 24, 32)
    assert whole.std() > 5
    assert np.abs(parts.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("exact", ["true", "false"])
def test_as_many_frames_come_back(exact: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At their rate and size, as long as the limit or longer, whether codes tell the end or not."""
    monkeypatch.setattr(file_codec, "CELLS", 1)
    files = made(f"exact_length={exact}").files
    assert files is not None
    for n in (1, 2, 3, 4, 5, 20, 41, 82):
        found = files.encode(written(tmp_path, clip(n)))
        files.decode(found, tmp_path / "back.mp4")
        assert VIDEO.read(tmp_path / "back.mp4").facts == (n, HEIGHT, WIDTH, FPS)
        assert found.codes.shape[0] == -(-n // 4)


def test_a_file_is_in_memory_by_the_block(files: FileCodec, tmp_path: Path) -> None:
    """However long it is: frames that are packed and not yet encoded."""
    alive: list[weakref.ref[Any]] = []
    most = 0

    def pack(path: Path, spec: DataSpec) -> Iterator[tuple[np.ndarray, int]]:
        nonlocal most
        for frame, n in pack_file(path, spec):
            alive.append(weakref.ref(frame))
            most = max(most, sum(one() is not None for one in alive))
            yield frame, n

    replace(files, pieces=Pieces(pack, unpack_file)).encode(written(tmp_path, clip(200)))
    assert len(alive) == 200
    assert most <= 4 * (files.encoded.size + 2 * files.encoded.halo) + 1


def test_blocks_hold_less_of_large_frames(tokenizer: VQVAETokenizer) -> None:
    """Of 320 × 240 pixels, at the default widths: as many codes as 2²⁵ elements hold, with their context."""
    options = LoomRunConfig().tokenizer_of("clip", "video").options
    spec = {**tokenizer.spec, "size": [32, 240, 320], "content": [240, 320]}
    large = VQVAETokenizer(VIDEO, spec, options)
    assert large.files is not None
    for blocks, network in ((large.files.encoded, large.encoder), (large.files.decoded, large.decoder)):
        held = (blocks.size + 2 * blocks.halo) * 30 * 40 * network.elements_per_cell
        assert held <= file_codec.ELEMENTS or blocks.size == blocks.halo
        assert blocks.halo == network.halo[0]
        assert blocks.halo <= blocks.size < 16
    assert Blocks.of(tokenizer.decoder, 1).size == file_codec.CELLS
