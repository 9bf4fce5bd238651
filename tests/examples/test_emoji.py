"""The emoji: names, groups and variants; the whole folder where the font and CLDR are installed."""

import json
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modaloom import api
from modaloom.core.errors import BadFile

EMOJI: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "emoji.py"))
INSTALLED = EMOJI["FONT"].exists() and EMOJI["CLDR"].exists()

NAMES = {
    "en": {
        "😀": "grinning face",
        "👋🏻": "waving hand: light skin tone",
        "👋": "waving hand",
        "◁": "triangle",
    },
    "zh": {"😀": "嘿嘿", "👋🏻": "挥手: 较浅肤色", "👋": "挥手", "◁": "左"},
}


@pytest.fixture
def cldr(tmp_path: Path) -> Path:
    """A small CLDR: skin tones are among the derived names, the triangle has no group."""
    for folder in ("annotations", "annotationsDerived", "properties"):
        (tmp_path / folder).mkdir()
    for language, names in NAMES.items():
        for folder, tones in (("annotations", False), ("annotationsDerived", True)):
            kept = {text: name for text, name in names.items() if (len(text) > 1) == tones}
            entries = (
                f'<annotation cp="{text}">key</annotation>'
                f'<annotation cp="{text}" type="tts">{name}</annotation>'
                for text, name in kept.items()
            )
            xml = f"<ldml><annotations>{''.join(entries)}</annotations></ldml>"
            (tmp_path / folder / f"{language}.xml").write_text(xml, encoding="utf-8")
    labels = (
        "# a comment\n[😀-😃]  ;\tSmileys & People\t;\tface\n[👋]\t; Smileys & People ; body\n0041 ; letter\n"
    )
    (tmp_path / "properties" / "labels.txt").write_text(labels, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("members", "expected"),
    [("[abc]", "a b c"), ("[a-cx]", "a b c x"), ("[ab-d{ef}g]", "a b c d ef g"), ("[-a]", "- a")],
)
def test_a_unicode_set(members: str, expected: str) -> None:
    assert [*EMOJI["characters"](members)] == expected.split()


def test_emoji_have_a_name_in_each_language_and_a_group(cldr: Path) -> None:
    found = EMOJI["read_emoji"](cldr)
    assert [one.text for one in found] == ["👋", "👋🏻", "😀"]
    assert found[1].names == {"en": "waving hand: light skin tone", "zh": "挥手: 较浅肤色"}
    assert {one.group for one in found} == {"Smileys & People"}


@pytest.mark.parametrize(
    ("text", "base"),
    [("👋🏻", "👋"), ("👩🏽‍🚀", "🧑‍🚀"), ("🏃🏿‍♀️", "🏃"), ("🚀", "🚀")],
    ids=["tone", "person and tone", "sign and tone", "none"],
)
def test_variants_of_one_emoji_have_one_base(text: str, base: str) -> None:
    assert EMOJI["Emoji"](text, {}, "").base == base


def test_lines_are_where_the_picture_changes() -> None:
    """A white square on black: its border of two pixels, and nothing inside or outside."""
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[4:12, 4:12] = 255
    drawn = np.asarray(EMOJI["lines"](Image.fromarray(pixels)))
    inside, outside = drawn[6:10, 6:10], np.r_[drawn[:2], drawn[-2:]]
    assert (inside == 255).all()
    assert (outside == 255).all()
    assert (drawn[4, 4:12] == 0).all()


def test_what_is_not_installed_is_named(tmp_path: Path, cldr: Path) -> None:
    with pytest.raises(BadFile, match="is fonts-noto-color-emoji installed"):
        EMOJI["write_emoji"](tmp_path / "out", font=tmp_path / "no.ttf", cldr=cldr)
    with pytest.raises(BadFile, match="is unicode-cldr-core installed"):
        EMOJI["read_emoji"](tmp_path / "nowhere")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not INSTALLED, reason="needs fonts-noto-color-emoji and unicode-cldr-core")
def test_the_whole_folder(tmp_path: Path) -> None:
    """More than 3,300 pictures, in colour, no variant of a test emoji in training."""
    count = EMOJI["write_emoji"](tmp_path / "emoji")
    found = api.inspect(tmp_path / "emoji")
    assert found.samples == count > 3300
    assert {name: s.modality for name, s in found.streams.items()} == {
        "image": "image",
        "drawing": "image",
        "en": "text",
        "zh": "text",
        "group": "record",
    }
    names = {split: set[str]() for split in ("train", "test")}
    for split, seen in names.items():
        for path in (tmp_path / "emoji" / split).glob("*.en.txt"):
            seen.add(path.read_text(encoding="utf-8").partition(":")[0].strip())
    assert len(names["test"] - names["train"]) > 0.9 * len(names["test"])
    groups = Counter(
        json.loads(path.read_text(encoding="utf-8"))["group"]
        for path in (tmp_path / "emoji").glob("*/*.json")
    )
    assert len(groups) > 5
