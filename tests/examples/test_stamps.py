"""Stamps: pictures, names and recordings of a small folder; the whole one where it is installed."""

import runpy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from modaloom import api
from modaloom.core.errors import BadFolder
from modaloom.data.folder import open_folder

EXAMPLES = Path(__file__).parents[2] / "examples"
STAMPS: dict[str, Any] = runpy.run_path(str(EXAMPLES / "stamps.py"))
PROMPTS: dict[str, Any] = runpy.run_path(str(EXAMPLES / "prompts.py"))
INSTALLED = STAMPS["STAMPS"].exists()


def write_stamp(root: Path, name: str, pitch: int) -> None:
    Image.new("RGB", (8, 8), (pitch % 255, 0, 0)).save(root / f"{name}.png")
    told = f"A {name}.\nfr.utf8=Un {name}. \nca.utf8=\nzh_CN.utf8=一只{name}。\n"
    (root / f"{name}.txt").write_text(told, encoding="utf-8")
    tone = 0.5 * np.sin(np.arange(8000) * pitch * 2 * np.pi / 16000)
    for end in ("desc_fr", "desc_es"):
        soundfile.write(root / f"{name}_{end}.ogg", tone, 16000)


@pytest.fixture
def stamps(tmp_path: Path) -> Path:
    root = tmp_path / "stamps" / "animals" / "birds"
    root.mkdir(parents=True)
    for pitch, name in enumerate(["owl", "duck", "hen"], start=2):
        write_stamp(root, name, 100 * pitch)
    for end in (".png", "_desc_fr.ogg", "_desc_es.ogg"):
        shutil.copyfile(root / f"owl{end}", root / f"duck{end}")
    (root / "alone.svg").write_text("<svg/>")
    return tmp_path / "stamps"


def test_what_belongs_together_and_what_is_a_copy(stamps: Path, tmp_path: Path) -> None:
    assert STAMPS["write_stamps"](tmp_path / "out", stamps) == 3
    (duck, *_) = open_folder(tmp_path / "out").samples
    assert duck.key == "animals-birds-duck"
    texts = {
        name: path.read_text("utf-8").strip() for name, path in duck.streams.items() if path.suffix == ".txt"
    }
    assert texts == {
        "kind": "animals",
        "english": "A duck.",
        "chinese": "一只duck。",
        "french_text": "Un duck.",
    }
    assert {*duck.streams} - {*texts} == {"picture", "french", "spanish"}
    told = "\n".join(api.inspect(tmp_path / "out").advice)
    for stream in ("picture", "french", "spanish"):
        assert f"2 files of {stream} have the bytes of another (1 different" in told


def test_no_stamps(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="is tuxpaint-stamps-default installed"):
        STAMPS["write_stamps"](tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()


def test_numerals_are_held_out_in_all_languages() -> None:
    splits = {PROMPTS["Prompt"](language, "digits/7", "", Path()).split for language in PROMPTS["LANGUAGES"]}
    assert splits == {"test"}
    others = [PROMPTS["Prompt"]("en", f"vm-{i}", "", Path()).split for i in range(400)]
    assert 0.8 < others.count("train") / len(others) < 0.9


@pytest.mark.full
@pytest.mark.skipif(not INSTALLED, reason="tuxpaint-stamps-default is not installed")
def test_the_installed_stamps(tmp_path: Path) -> None:
    assert STAMPS["write_stamps"](tmp_path / "out") > 700
    told = "\n".join(api.inspect(tmp_path / "out").advice)
    for language in ("catalan", "belarusian"):
        assert f"{language} follows {language}_text in part" in told
