"""`modaloom probabilities` with the bundled run, whose answers are those of the world."""

import json
from pathlib import Path

import pytest
from calling import Call, done

from modaloom.world.image import image
from modaloom.world.splits import scene

SCENE = scene(0, "test-seen", 1, {"motion": "still"})
COLOURS = f"{SCENE.colour},mauve"


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("given") / "shape.png"
    image(SCENE).save(path)
    return path


def test_the_likeliest_answer_is_the_right_one(picture: Path, tmp_path: Path) -> None:
    given = ("--given", f"image={picture}", "--given", "question=what colour is it?", "--want", "answer")
    file = tmp_path / "found.json"
    result = done("probabilities", "demo", *given, "--among", f"answer={COLOURS}", "--json", file)
    head, first, second = result.stdout.splitlines()
    assert head.split() == ["key", "stream", "value", "probability"]
    assert first.split()[:3] == ["0000", "answer", SCENE.colour]
    assert float(first.split()[3]) > 0.9
    assert second.split()[2] == "mauve"
    found = json.loads(file.read_text())["0000"]["answer"]
    assert found["values"] == COLOURS.split(",")
    assert sum(found["probabilities"]) == pytest.approx(1)
    assert 0 <= found["other"] < 0.1


def test_what_cannot_be_told_is_refused(refused: Call, picture: Path) -> None:
    refused("probabilities", "demo", "--want", "image", names="has no values that can be listed")
    refused("probabilities", "demo", "--want", "answer", names="keeps no training values of answer")
    refused("probabilities", "demo", "--want", "", names="nothing is wanted")
    refused("probabilities", "demo", "--want", "answr", names="did you mean 'answer'")
    refused("probabilities", "demo", "--want", "answer", "--among", "answer", names="--among")
    refused("probabilities", "demo", "--want", "answer", "--json", picture.parent, names="--json")
