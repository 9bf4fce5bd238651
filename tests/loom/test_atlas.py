"""The atlas of codes, against means taken value by value."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

import modaloom.api as modaloom
from modaloom.loom.atlas import COLUMNS, INK, TILE, sheet
from modaloom.modalities import IMAGE
from modaloom.modalities.audio import AUDIO
from modaloom.modalities.audio_view import look
from modaloom.runs.caches import Caches
from modaloom.tokenizers.usage import NUM_REPEATS, CodeUsage
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

K = 6


def tokenizer(size: list[int], channels: int = 3, global_codes: int = 0) -> VQVAETokenizer:
    """Of stride 4; untrained."""
    spec = {"size": size, "content": size, "channels": channels}
    return VQVAETokenizer(
        IMAGE,
        spec,
        VQVAEConfig(
            code_grid=-(-max(size) // 4),
            codebook_size=K,
            widths=(4,),
            latent_dim=4,
            global_codes=global_codes,
        ),
    )


def batch(n: int, made: VQVAETokenizer, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Packed values and codes, of which the last is never used."""
    random = torch.Generator().manual_seed(seed)
    shape = (n, made.spec["channels"], *made.spec["size"])
    packed = torch.randint(256, shape, generator=random, dtype=torch.uint8)
    return packed, torch.randint(K - 1, (n, made.shape.num_positions, 3), generator=random)


@pytest.mark.parametrize(("size", "channels"), [([8, 12], 3), ([12, 8], 1), ([10, 8], 3)])
def test_a_patch_is_the_mean_of_what_lies_under_its_code(size: list[int], channels: int) -> None:
    made = tokenizer(size, channels)
    columns = [batch(40, made, 0), batch(25, made, 1)]
    found = made.code_usage(columns)[""]
    rows, across = made.shape.grid
    for code in range(K):
        under, places = [], np.zeros((rows, across), int)
        for packed, codes in columns:
            # The encoder repeats the last row and column where the stride does not divide the size.
            whole = np.pad(
                packed.numpy(), [(0, 0), (0, 0), (0, -size[0] % 4), (0, -size[1] % 4)], mode="edge"
            )
            for value, grid in zip(whole, codes[..., 0].reshape(-1, rows, across).numpy()):
                for y, x in zip(*np.nonzero(grid == code)):
                    under.append(value[:, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4])
                    places[y, x] += 1
        assert np.array_equal(found.places[code].numpy(), places)
        expected = np.mean(under, 0) if under else np.full((channels, 4, 4), 127.5)
        assert np.abs(found.patch[code].numpy() - expected).max() <= 0.501
    assert found.places.sum() == 65 * rows * across
    assert found.places[K - 1].sum() == 0


def test_a_tints_code_shows_the_mean_of_its_two_colours() -> None:
    made = tokenizer([10, 8], global_codes=2)
    random = torch.Generator().manual_seed(2)
    colours = torch.randint(256, (12, 2, 3), generator=random, dtype=torch.uint8)
    packed = colours[:, 1, :, None, None].repeat(1, 1, 10, 8)
    packed[..., 2:5, 1:4] = colours[:, 0, :, None, None]
    codes = torch.arange(12)[:, None, None].expand(-1, made.shape.num_positions, 3) % torch.tensor([1, 4, 2])
    parts = made.code_usage([(packed[:8], codes[:8]), (packed[8:], codes[8:])])
    assert {name: part.whole for name, part in parts.items()} == {"": False, "tint": True}
    found = parts["tint"]
    assert found.places.flatten().tolist() == [3, 3, 3, 3, 0, 0]
    for code in range(4):
        expected = colours[codes[:, 0, 1] == code].float().mean(0).T
        assert (found.patch[code, :, 0].float() - expected).abs().max() <= 1.01


def test_only_pictures_can_be_shown() -> None:
    made = tokenizer([8, 12], channels=2)
    assert made.code_usage([batch(3, made, 0)]) == {}


def test_a_sheet_has_a_row_of_places_below_every_row_of_looks() -> None:
    n = COLUMNS + 2
    patch = torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1, 1).expand(n, 3, 4, 4)
    places = torch.zeros(n, 2, 2, dtype=torch.int64)
    places[:, 0, 1], places[:, 1, 0] = 4, 2
    order = torch.arange(n).flip(0)
    picture = np.asarray(sheet(CodeUsage(patch, places), order))
    assert picture.shape == (4 * TILE, COLUMNS * TILE, 4)
    looks = picture.reshape(2, 2, TILE, COLUMNS, TILE, 4).transpose(1, 0, 3, 2, 4, 5)
    for place, code in enumerate(order.tolist()):
        look, where = (looks[below][divmod(place, COLUMNS)] for below in (0, 1))
        assert (look == (code, code, code, 255)).all()
        half = TILE // 2
        corners = [where[y, x, 3] for y in (0, half) for x in (0, half)]
        assert corners == [0, 255, 128, 0]
        assert (where[..., :3] == INK).all()
    assert (looks[:, 1, 2:] == 0).all()


def test_codes_of_texts_and_records_are_named_and_counted(tmp_path: Path) -> None:
    """Oracle: bytes and values counted one by one."""
    data = tmp_path / "data"
    data.mkdir()
    for i in range(30):
        (data / f"{i:02d}.txt").write_text("é" if i % 3 else "a a")
        (data / f"{i:02d}.json").write_text('{"n": 1}' if i % 2 else '{"n": 2, "m": true}')
    settings = ["loom.width=16", "loom.num_layers=1", "loom.num_heads=2", "tokenizers.text.vocab_size=258"]
    run = modaloom.train(data, out=tmp_path / "run", steps=1, settings=settings, samples=2)
    found = json.loads((run.path / "samples" / "atlas.json").read_text())
    training = Caches.of(run.path).keys
    texts = Counter(byte for key in training for byte in (b"\xc3\xa9" if int(key) % 3 else b"a a"))
    said = {195: "c3", 169: "a9", 97: "a", 32: " "}
    shares = dict(zip(found["text"]["names"], found["text"]["shares"]))
    assert shares == {said[byte]: pytest.approx(n / texts.total()) for byte, n in texts.items()}
    assert {*found} == {"text", "record, m", "record, n"}
    even = sum(int(key) % 2 == 0 for key in training) / len(training)
    for name, value in (("record, m", "True"), ("record, n", "2")):
        entry = found[name]
        assert dict(zip(entry["names"], entry["shares"]))[value] == pytest.approx(even)
    assert {*found["record, m"]["names"]} == {"none", "True"}


def test_a_code_of_sounds_shows_the_mean_of_the_frames_under_it() -> None:
    """Sounds of different lengths, the last frames of which are repeated up to a whole patch; codes after the
    end are padding."""
    spec = {"size": [10], "channels": 4, "rate": 16_000, "tracks": 1, "bands": 4, "type": "int16"}
    sizes = {"strides": (4,), "codebook_size": K, "widths": (4,), "latent_dim": 4}
    config = VQVAEConfig(**sizes, crop_size=(8,), variable_length=True)
    made, random = VQVAETokenizer(AUDIO, spec, config), torch.Generator().manual_seed(3)
    columns, under, places = [], {code: [] for code in range(K)}, torch.zeros(K, 3, dtype=torch.int64)
    for frames in (4, 7, 8, 10):
        packed = torch.randint(-32768, 32767, (1, 4, frames), generator=random, dtype=torch.int16)
        codes = torch.full((1, 3, 2), made.shape.padding)
        own = -(-frames // 4)
        codes[:, :own] = torch.randint(K - 1, (1, own, 2), generator=random)
        columns.append((packed, codes))
        whole = np.pad(packed[0].numpy(), [(0, 0), (0, -frames % 4)], mode="edge")
        for place, code in enumerate(codes[0, :own, 0].tolist()):
            under[code].append(whole[:, 4 * place : 4 * place + 4])
            places[code, place] += 1
    found = made.code_usage(columns)[""]
    assert torch.equal(found.places[:, 0], places)
    assert found.patch.shape == (K, 3, 4, 4)
    for code in [code for code in range(K) if under[code]]:
        mean = torch.from_numpy(np.mean(under[code], 0))[None].to(torch.int16)
        assert (found.patch[code].int() - look(mean)[0].int()).abs().max() <= 1
    assert found.heard is not None
    sound = found.heard(0)
    assert (sound.rate, sound.samples.shape) == (16_000, (1, 160 * 4 * NUM_REPEATS))
    low, high = (look(torch.full((1, 1, 1), level, dtype=torch.int16)) for level in (-32768, 32767))
    assert high.sum() > low.sum()
