"""`generate --keep`: a value that is given and wanted, of which a part stays."""

import json
import shlex
from pathlib import Path

import pytest
from calling import Call, done

from modaloom import api
from modaloom.core.errors import BadValue


def test_rows_that_are_kept_keep_their_codes(run: Path, world: Path, tmp_path: Path) -> None:
    picture = world / "train" / "000001.image.png"
    given = ("generate", run, "--given", f"image=@{picture}", "--want", "image", "--n", 3)
    done(*given, "--keep", "image=0:16", "--out", tmp_path / "out", "--seed", 4)
    (line, *_) = (tmp_path / "out" / "_provenance.jsonl").read_text().splitlines()
    assert "--keep image=0:16" in json.loads(line)["command"]
    loaded = api.load(run)
    (truth,) = loaded.model.encode("image", [loaded.value("image", picture)])
    keep, again = {"image": [(0, 16)]}, tmp_path / "again"
    drawn = [*api.generate(loaded, given={"image": picture}, want="image", n=3, seed=4, keep=keep, out=again)]
    half = len(truth) // 2
    for sample in drawn:
        codes = sample.streams.codes["image"]
        assert (codes[:half] == truth[:half]).all()
        assert (codes[half:] != truth[half:]).any()
        name = f"{sample.key}.image.png"
        assert (tmp_path / "out" / name).read_bytes() == (again / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--keep", "image=0-16"), "write START:END"),
        (("--keep", "image=8:8"), "8:8 is no part of a value"),
        (("--keep", "image=0:32"), "all of image is kept"),
        (("--keep", "caption=0:16"), "caption is both given and wanted"),
        (("--strength", "image=0"), "strength of image is 0; it must be more than 0"),
        (("--strength", "image=much"), "--strength 'much' is no number"),
        (("--strength", "caption=0.5"), "caption can be kept or changed where caption is both given"),
        (
            ("--given", "caption=a star", "--keep", "caption=0:0.5", "--want", "caption"),
            "0:0.5 keeps nothing: parts are whole tokens, 'a'",
        ),
        (
            ("--given", "caption=a star", "--keep", "caption=0:7", "--want", "caption"),
            "all of caption is kept",
        ),
    ],
)
def test_parts_that_cannot_be_kept(
    run: Path, world: Path, refused: Call, words: tuple[str, ...], names: str
) -> None:
    given = ("generate", run, "--given", f"image=@{world / 'train' / '000001.image.png'}", "--want", "image")
    refused(*given, *words, "--out", "drawn", names=names)


def test_a_part_is_of_one_value(run: Path, world: Path, refused: Call) -> None:
    folder = ("generate", run, world, "--want", "image", "--keep", "image=0:8", "--out", "drawn")
    refused(*folder, names="leave out keep")
    changed = ("generate", run, world, "--want", "image", "--strength", "image=0.5", "--out", "drawn")
    refused(*changed, names="leave out strength")


def test_a_value_is_changed_by_degrees(run: Path, world: Path, tmp_path: Path) -> None:
    picture = world / "train" / "000001.image.png"
    given = ("--given", f"image=@{picture}", "--given", "caption=a large blue star")
    words = ("generate", run, *given, "--want", "image", "--strength", "image=0.5", "--n", 2)
    done(*words, "--out", tmp_path / "out")
    (line, *_) = (tmp_path / "out" / "_provenance.jsonl").read_text().splitlines()
    again = shlex.split(json.loads(line)["command"])
    assert "image=0.5" in again
    done(*again[1:], "--out", tmp_path / "again")
    for name in ("0000.image.png", "0001.image.png"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize("parts", [(0, 16), "0:16", [("a", "b")], [(0, 1, 2)], None, [(float("nan"), 2)]])
def test_parts_of_another_form_are_named(run: Path, world: Path, parts: object, tmp_path: Path) -> None:
    picture, keep = world / "train" / "000001.image.png", {"image": parts}
    with pytest.raises(BadValue, match=r"keep of image is .*; give|is no part of a value"):
        [*api.generate(api.load(run), given={"image": picture}, want="image", keep=keep, out=tmp_path / "o")]
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--want", "image", "--length", 99), "values of image do not go on"),
        (("--want", "caption", "--length", 9), "caption is drawn whole up to"),
        (
            ("--given", f"caption={'a star ' * 99}", "--want", "caption", "--length", 9999),
            "it would go on from there; give less: its end",
        ),
        (("--want", "image,caption", "--length", 99), "of one stream"),
    ],
)
def test_lengths_that_cannot_be(run: Path, refused: Call, words: tuple[object, ...], names: str) -> None:
    refused("generate", run, *words, "--out", "drawn", names=names)
