"""The digits: a folder as a user would have it, which trains as any other."""

import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from modaloom import api
from modaloom.runs.store import RunFiles

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits.py"
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TINY = (
    "tokenizers.image.code_grid=2",
    "tokenizers.image.widths=[8, 8]",
    "tokenizers.image.latent_dim=8",
    "tokenizers.image.codebook_size=16",
    "loom.width=32",
    "loom.num_layers=1",
    "loom.num_heads=2",
    "training.tokenizer.batch_size=16",
    "training.loom.batch_size=16",
    "training.log_every=1",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits") / "digits"
    runpy.run_path(str(EXAMPLE))["write_digits"](folder)
    return folder


def files(folder: Path, suffix: str) -> dict[str, Path]:
    """Stem → file, over all splits."""
    found = list(folder.glob(f"*/*{suffix}"))
    assert len({path.stem for path in found}) == len(found), "a digit lies in two splits"
    return {path.stem: path for path in found}


def test_every_digit_is_there_once_with_its_word(folder: Path) -> None:
    digits, pictures, words = load_digits(), files(folder, ".png"), files(folder, ".txt")
    assert pictures.keys() == words.keys() == {f"{number:04d}" for number in range(1797)}
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target)):
        stem = f"{number:04d}"
        assert pictures[stem].with_suffix(".txt") == words[stem]
        assert words[stem].read_text() == f"{WORDS[label]}\n"
        with Image.open(pictures[stem]) as picture:
            assert picture.mode == "L"
            np.testing.assert_allclose(np.asarray(picture) / 255 * 16, pixels, atol=0.5 / 255 * 16)


def test_digits_can_be_enlarged(folder: Path, tmp_path: Path) -> None:
    runpy.run_path(str(EXAMPLE))["write_digits"](tmp_path / "large", side=16)
    large, small = files(tmp_path / "large", ".png"), files(folder, ".png")
    assert large.keys() == small.keys()
    for stem in ("0000", "1796"):
        with Image.open(large[stem]) as picture, Image.open(small[stem]) as original:
            assert picture.size == (16, 16)
            reduced = np.asarray(picture, float).reshape(8, 2, 8, 2).mean((1, 3))
            assert np.corrcoef(reduced.ravel(), np.asarray(original).ravel())[0, 1] > 0.95


def test_a_fifth_is_held_out_and_holds_every_word(folder: Path) -> None:
    counts = Counter(path.parent.name for path in files(folder, ".png").values())
    assert counts == {"train": 1300, "val": 137, "test": 360}
    held_out = Counter(path.read_text().strip() for path in folder.glob("test/*.txt"))
    assert set(held_out) == set(WORDS)
    assert min(held_out.values()) > 20


def test_inspect_finds_it_clean(folder: Path) -> None:
    found = api.inspect(folder)
    assert (found.samples, found.fixed, list(found.problems)) == (1797, True, [])
    assert {name: (s.modality, s.count) for name, s in found.streams.items()} == {
        "image": ("image", 1797),
        "text": ("text", 1797),
    }
    assert found.streams["text"].facts["distinct"] == 10
    assert len(found.advice) == 1, "nothing but the command to train"


def test_twenty_steps_learn_something_and_answer_both_ways(folder: Path, tmp_path: Path) -> None:
    run = api.train(folder, out=tmp_path / "run", steps=20, settings=TINY, samples=4)
    for stage in ("image", "loom"):
        losses = [m["loss"] for m in RunFiles(run.path).metrics() if m["stage"] == stage and "loss" in m]
        assert len(losses) == 20
        assert np.mean(losses[-5:]) < np.mean(losses[:5]), stage
    drawn = run.generate(given={"text": "three"}, want=["image"], n=2)
    assert [values["image"].size for values in drawn] == [(8, 8)] * 2
    assert isinstance(run.generate(given={"image": drawn[0]["image"]}, n=1)[0]["text"], str)
