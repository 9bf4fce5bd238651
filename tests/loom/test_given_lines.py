"""A sample for each line of a file."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import modaloom
from modaloom.cli import app
from modaloom.core.errors import BadFile, BadValue
from modaloom.loom.given_lines import Lines, rows_of

CAPTIONS = ["a small purple star at the top left", "a large red circle at the bottom right"]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_have_the_value_of_their_line(tmp_path: Path) -> None:
    lines = Lines(write(tmp_path / "a.txt", "one\n\n  two \n"))
    assert rows_of({"text": lines, "n": 3}) == [{"text": "one", "n": 3}, {"text": "two", "n": 3}]
    assert rows_of({"n": 3}) == [{"n": 3}]
    with pytest.raises(BadValue, match="text 2, other 1"):
        rows_of({"text": lines, "other": Lines(write(tmp_path / "b.txt", "one"))})
    with pytest.raises(BadFile, match="no line with a value"):
        rows_of({"text": Lines(write(tmp_path / "c.txt", " \n"))})


def test_each_line_is_generated_for(tmp_path: Path) -> None:
    path = write(tmp_path / "prompts.txt", "\n".join(CAPTIONS))
    run = modaloom.load("demo")
    samples = [*modaloom.generate(run, given={"caption": Lines(path)}, want="image", out=tmp_path / "out")]
    assert [sample.key for sample in samples] == ["0000", "0001"]
    (alone,) = modaloom.generate(
        run, given={"caption": CAPTIONS[0]}, want="image", n=1, out=tmp_path / "alone"
    )
    assert samples[0].streams["image"].tobytes() == alone.streams["image"].tobytes()
    provenance = json.loads((tmp_path / "out/_provenance.jsonl").read_text().splitlines()[0])
    assert f"--given-lines caption={path}" in provenance["command"]
    several = modaloom.generate(run, given={"caption": Lines(path)}, want="image", n=2, out=tmp_path / "two")
    assert [sample.key for sample in several] == ["0000-0", "0000-1", "0001-0", "0001-1"]


def test_a_folder_and_lines_are_two_lists(tmp_path: Path) -> None:
    path, folder = write(tmp_path / "prompts.txt", "\n".join(CAPTIONS)), tmp_path / "data"
    folder.mkdir()
    write(folder / "1.caption.txt", CAPTIONS[0])
    with pytest.raises(BadValue, match="two lists of samples"):
        [*modaloom.generate("demo", folder, given={"caption": Lines(path)}, want="image", out=tmp_path / "o")]


def test_a_file_of_several_lines_given_as_one_value_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "prompts.txt", "\n".join(CAPTIONS))
    words = ["generate", "demo", "--want", "image", "--out"]
    told = CliRunner().invoke(app, [*words, str(tmp_path / "a"), "--given", f"caption=@{path}", "--n", "1"])
    assert f"one value of 2 lines; to take each by itself: --given-lines caption={path}" in told.output
    told = CliRunner().invoke(app, [*words, str(tmp_path / "b"), "--given-lines", f"caption={path}"])
    assert "2 samples in" in told.output
