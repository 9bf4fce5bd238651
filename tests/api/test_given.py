"""What can be given to a run in Python, and the same on the command line."""

import io
import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import modaloom
from modaloom.cli import app
from modaloom.core.errors import BadValue


@pytest.fixture(scope="module")
def run() -> modaloom.TrainedRun:
    found = modaloom.load("demo", device="cpu")
    assert isinstance(found, modaloom.TrainedRun)
    return found


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    levels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(levels).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_words_that_no_training_text_had_are_told(run: modaloom.TrainedRun) -> None:
    assert run.lost("caption", "a small purple star at the top left") == []
    *_, told = run.lost("caption", "a small president שלום")
    assert told.how == "have words that no training text had: 'president', 'שלום'"


@pytest.mark.parametrize(
    "value",
    [None, math.nan, 3, b"x", [1], np.zeros((32, 32, 3)), {"a": 1}, io.BytesIO()],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(("stream", "kind"), [("caption", "text"), ("image", "picture")])
def test_wrong_types_name_stream_and_type(
    run: modaloom.TrainedRun, stream: str, kind: str, value: Any
) -> None:
    name = "None" if value is None else type(value).__name__
    want = {"caption": "image", "image": "caption"}[stream]
    with pytest.raises(BadValue, match=rf"^stream '{stream}': {name}.* is no {kind}; give a ") as caught:
        run.generate({stream: value}, want)
    assert "0x" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda run: run.generate("a star", "image"), "given is str 'a star'; give a dict"),
        (lambda run: run.generate({"caption": "a star"}, [3]), "want holds int 3"),
        (lambda run: run.generate({"caption": "a star"}, 3), "want is int 3"),
        (lambda run: run.generate({"caption": "a star"}, "A,B"), "unknown stream 'A,B'"),
        (lambda run: run.generate({3: "a star"}, "image"), "stream is int 3; allowed: "),
        (lambda run: run.generate({"caption": "a star"}, n="4"), "n is str '4'"),
        (lambda run: run.generate({"caption": "a star"}, n=2.5), "n is float 2.5"),
        (lambda run: run.generate({"caption": "a star"}, seed=0.5), "seed is float 0.5"),
        (lambda run: run.generate({"caption": "a star"}, step=3), "unknown setting 'step'"),
        (lambda run: run.generate({"caption": "a star"}, steps="many"), "steps is 'many'"),
        (lambda run: run.generate({"caption": "a star"}, sampler=None), "sampler is None"),
    ],
)
def test_wrong_calls_are_bad_values(run: modaloom.TrainedRun, call: Any, named: str) -> None:
    with pytest.raises(BadValue, match=re.escape(named)):
        call(run)


def test_a_plain_name_is_one_stream(run: modaloom.TrainedRun) -> None:
    (one,) = run.generate({"caption": "a star"}, "image", n=1, steps=2)
    (same,) = run.generate({"caption": "a star"}, ["image"], n=1, steps=2)
    assert one.keys() == {"image"}
    assert one["image"].tobytes() == same["image"].tobytes()


def test_paths_and_what_was_read_from_them_are_the_same(
    run: modaloom.TrainedRun, picture: Path, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("a small purple star\n")
    assert run.value("caption", file) == run.value("caption", file.read_text()) == "a small purple star"
    for same in (str(picture), Image.open(picture)):
        assert run.value("image", same).tobytes() == run.value("image", picture).tobytes()


def test_an_at_sign_is_literal_in_python_and_doubled_on_the_command_line(
    run: modaloom.TrainedRun, tmp_path: Path
) -> None:
    """The command that is kept beside what was drawn says the same again."""
    assert run.value("caption", "@home") == "@home"
    (tmp_path / "words.txt").write_text("@home\n")
    words = ["--want", "image", "--n", "1", "--steps", "2", "--out"]
    drawn = {}
    for name, given in {"escaped": "@@home", "file": f"@{tmp_path / 'words.txt'}"}.items():
        command = ["generate", "demo", "--given", f"caption={given}", *words, str(tmp_path / name)]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        drawn[name] = (tmp_path / name / "0000.image.png").read_bytes()
        line = json.loads((tmp_path / name / "_provenance.jsonl").read_text())
        assert f"caption={given}" in shlex.split(line["command"])
    list(modaloom.generate("demo", given={"caption": "@home"}, want="image", n=1, out=tmp_path / "python",
                           sampling={"steps": 2}))  # fmt: skip
    drawn["python"] = (tmp_path / "python" / "0000.image.png").read_bytes()
    assert len({*drawn.values()}) == 1
