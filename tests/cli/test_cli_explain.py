"""Explanations of the bundled run, whose dependences are those of the world."""

import json
from pathlib import Path

import pytest
from calling import Call, done
from PIL import Image
from typer.testing import Result

import modaloom
from modaloom.world.image import image
from modaloom.world.splits import scene

ASKED = "what colour is it?"


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("given") / "shape.png"
    image(scene(0, "test-seen", 1, {"motion": "still"})).save(path)
    return path


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explained") / "out"


@pytest.fixture(scope="module")
def said(picture: Path, out: Path) -> Result:
    """What `explain` printed."""
    given = ("--given", f"image={picture}", "--given", f"question={ASKED}")
    return done("explain", "demo", *given, "--want", "answer", "--orders", 2, "--out", out)


def test_the_colours_of_the_picture_and_of_the_question_drive_the_answer(said: Result, out: Path) -> None:
    """The world's answer is a function of the asked factor and its value; the tint is a code of its own."""
    found = json.loads((out / "explanation.json").read_text())
    assert found["value"] == scene(0, "test-seen", 1, {"motion": "still"}).colour
    best = {
        stream: max((one for one in found["parts"] if one["stream"] == stream), key=lambda one: one["bits"])
        for stream in ("image", "question")
    }
    assert (best["image"]["part"], best["question"]["part"]) == ("as a whole", "colour")
    assert min(one["bits"] for one in best.values()) > 0.5
    told = sum(one["bits"] for one in found["parts"])
    assert told == pytest.approx(sum(found["streams"].values()))
    assert told == pytest.approx(found["bits"], abs=0.5)  # nothing is left to guess
    areas = found["areas"]
    assert areas["deletion"][0] < min(areas["random"]) < max(areas["random"]) < areas["insertion"][0]
    assert (found["insertion"][0], found["insertion"][-1]) == (found["deletion"][-1], found["deletion"][0])
    assert said.stdout.splitlines()[0] == f"answer: {found['value']}"
    assert said.stdout.splitlines()[-1] == str(out / "explanation.html")


def test_the_page_draws_over_what_was_given_and_holds_nothing_from_elsewhere(said: Result, out: Path) -> None:
    page = (out / "explanation.html").read_text()
    assert page.count('<i class="') >= 16 + 5
    assert ">colour</b>" in page
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "modaloom explain demo --want answer" in page
    assert "--out explained" in page
    assert not (out / "denoising.gif").exists()


def test_a_film_of_the_denoising(tmp_path: Path) -> None:
    given = ("--given", "caption=a small purple star at the top left")
    words = ("--want", "image", "--orders", 1, "--film", "--out", tmp_path / "out")
    done("explain", "demo", *given, *words)
    with Image.open(tmp_path / "out" / "denoising.gif") as film:
        assert film.n_frames == 49  # the tint and 48 steps
        assert film.size == (256, 256)
        film.seek(48)
        last = film.convert("RGB")
    drawn = modaloom.load("demo").generate({"caption": given[1][8:]}, "image", n=1)[0]["image"]
    pixel = last.getpixel((128, 128))
    assert max(abs(a - b) for a, b in zip(pixel, drawn.getpixel((16, 16)))) < 24  # 256 colours
    assert "step 49 of 49" in (tmp_path / "out" / "explanation.html").read_text()


def test_what_cannot_be_explained_is_refused(refused: Call, picture: Path, tmp_path: Path) -> None:
    refused("explain", "demo", "--want", "answer", "--out", "x", names="--given")
    refused(
        "explain",
        "demo",
        "--given",
        "caption=a star",
        "--want",
        "question",
        "--out",
        "x",
        names="stream to want",
    )
    refused(
        "explain", "demo", "--given", "captio=a star", "--want", "image", "--out", "x", names="did you mean"
    )
    given = ("--given", f"image={picture}", "--want", "answer")
    refused("explain", "demo", *given, "--orders", 0, "--out", "x", names="orders")
    refused("explain", "demo", *given, "--out", picture.parent, names="is not empty")
    with pytest.raises(modaloom.BadValue, match="nothing is given"):
        modaloom.explain("demo", given={}, want="answer")
