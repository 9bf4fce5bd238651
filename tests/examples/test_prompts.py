"""Prompts: recordings with their texts, of a small tree as Asterisk's packages install it."""

import gzip
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modaloom.core.errors import BadFile, BadValue
from modaloom.data.folder import open_folder
from modaloom.modalities.audio import AUDIO

pytest.importorskip("av")
EXAMPLES = Path(__file__).parents[2] / "examples"
PROMPTS: dict[str, Any] = runpy.run_path(str(EXAMPLES / "prompts.py"))
TEXTS = {
    "digits/9": "nine",
    "phonetic/9_p": "nine",
    "goodbye": "goodbye",
    "tone": "[a tone]",
    "beep": "<beep ascending>",
    "silence/1": "(1 second of silence)",
    "empty": "nothing is heard",
    "long": "this takes longer",
    "lost": "this is not installed",
}


@pytest.fixture
def tree(tmp_path: Path) -> dict[str, Path]:
    """Of G.722, whose every byte is two samples."""
    sounds, texts = tmp_path / "sounds", tmp_path / "doc"
    lines = "".join(f"{stem}: {text}\n" for stem, text in TEXTS.items())
    (texts / "asterisk-core-sounds-en").mkdir(parents=True)
    path = texts / "asterisk-core-sounds-en" / "core-sounds-en.txt.gz"
    path.write_bytes(gzip.compress(f"; a comment\n{lines}".encode()))
    for stem in TEXTS.keys() - {"lost"}:
        sound = sounds / "en_US_f_Allison" / f"{stem}.g722"
        sound.parent.mkdir(parents=True, exist_ok=True)
        seconds = {"empty": 0, "long": 2}.get(stem, 1)
        sound.write_bytes(np.random.default_rng(0).bytes(8_000 * seconds))
    return {"sounds": sounds, "texts": texts}


def test_what_is_said_is_beside_what_is_heard_and_held_out_words_are_nowhere_else(
    tree: dict[str, Path], tmp_path: Path
) -> None:
    assert PROMPTS["write_prompts"](tmp_path / "out", **tree, languages=("en",), longest=1.5) == 2
    found = {sample.key: sample.streams for sample in open_folder(tmp_path / "out").samples}
    assert found.keys() == {"test/en-digits-9", "train/en-goodbye"}
    nine = found["test/en-digits-9"]
    assert (nine["text"].read_text(), nine["language"].read_text()) == ("nine\n", "en\n")
    heard, source = AUDIO.read(nine["speech"]), tree["sounds"] / "en_US_f_Allison" / "digits" / "9.g722"
    assert (heard.rate, heard.samples.shape) == (16_000, (1, 16_000))
    assert np.array_equal(heard.samples, AUDIO.read(source).samples)


@pytest.mark.parametrize("longest", [0.0, -1.0, float("nan")])
def test_no_length_is_refused(tree: dict[str, Path], tmp_path: Path, longest: float) -> None:
    with pytest.raises(BadValue, match="it must be more than 0"):
        PROMPTS["write_prompts"](tmp_path / "out", **tree, languages=("en",), longest=longest)
    assert not (tmp_path / "out").exists()


def test_a_language_that_is_not_installed_is_named(tree: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="is the package with the texts installed"):
        PROMPTS["write_prompts"](tmp_path / "out", **tree, languages=("fr",))
    assert not (tmp_path / "out").exists()
