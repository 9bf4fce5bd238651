"""The run that comes with modaloom: what a new user types first."""

import json
import tomllib
from pathlib import Path

import pytest
from calling import done
from PIL import Image

from modaloom.runs import resolve as bundled
from modaloom.world.parsers import PARSERS

ROOT = Path(__file__).parents[2]
DEMO = bundled.ROOT / "demo"
MOST = 5_000_000
"""Bytes that it may weigh."""


def test_words_become_the_picture_that_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = "a small purple star at the top left"
    done("generate", "demo", "--given", f"caption={said}", "--want", "image", "--n", 4, "--out", "out")
    for path in sorted((tmp_path / "out").glob("*.png")):
        facts = PARSERS["image"](Image.open(path))
        assert {name: facts[name] for name in ("shape", "colour", "size", "position")} == {
            "shape": "star",
            "colour": "purple",
            "size": "small",
            "position": "top left",
        }
    done("generate", "demo", "--given", "image=out/0000.image.png", "--want", "caption", "--out", "words")
    words = (tmp_path / "words" / "0000.caption.txt").read_text()
    assert "star" in words
    assert "purple" in words


def test_it_is_small_and_in_the_package() -> None:
    files = [path for path in DEMO.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = settings["tool"]["setuptools"]["package-data"]["modaloom"]
    packed = {path for pattern in patterns for path in (ROOT / "src" / "modaloom").glob(pattern)}
    assert packed >= set(files)


@pytest.mark.parametrize(("split", "least"), [("seen", 0.97), ("level1", 0.95)])
def test_its_scores_come_with_it(split: str, least: float) -> None:
    """The worst slot over its ceiling, both ways."""
    rows = json.loads((DEMO / "scores.json").read_text(encoding="utf-8"))["rows"]
    worst = {(row["row"], row["split"]): row for row in rows if row["metric"] == "slot.worst"}
    for direction in ("image->caption", "caption->image"):
        row = worst[direction, split]
        assert row["value"] / row["ceiling"] >= least
        assert row["n"] >= 500
    assert "slot.mean" in (DEMO / "model" / "README.md").read_text(encoding="utf-8")
