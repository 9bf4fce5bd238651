"""One broken file among good ones: nothing else is lost, it is named, and the exit code says so."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from calling import Call, call, done, tree
from PIL import Image
from test_cli_restore import SMALL
from typer.testing import Result

from modaloom.data import shards as shard_module


@pytest.fixture(scope="module")
def superres(world: Path, place: Path) -> Path:
    done("train", world, "--task", "superres", "--out", place / "partial-superres", *SMALL)
    return place / "partial-superres"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder, rng = tmp_path / "files", np.random.default_rng(0)
    folder.mkdir()
    for name in ("good", "good2"):
        Image.fromarray(rng.integers(0, 256, (12, 10, 3), np.uint8)).save(folder / f"{name}.png")
    (folder / "broken.jpg").write_bytes(b"no picture at all")
    return folder


@pytest.fixture
def broken_world(world: Path, tmp_path: Path) -> Path:
    """40 test samples, one picture of them damaged."""
    folder = tmp_path / "broken-world"
    shutil.copytree(world / "test-seen", folder)
    (folder / "000003.image.png").write_bytes(b"no picture at all")
    return folder


def mode(path: Path) -> str:
    with Image.open(path) as image:
        return image.mode


def partly(*words: object, names: str) -> Result:
    """A call that keeps most of the work: exit code 1, one list on stderr."""
    result = call(*words)
    assert result.exit_code == 1, result.output
    assert "error: 1 failed; " in result.stderr
    assert names in result.stderr
    return result


def test_restore_keeps_what_can_be_restored(superres: Path, files: Path, tmp_path: Path) -> None:
    inputs = [files / name for name in ("good.png", "broken.jpg", "good2.png")]
    result = partly("restore", superres, *inputs, "--out", tmp_path / "out", names="broken.jpg: cannot be")
    assert f"2 files are in {tmp_path / 'out'}" in result.stderr
    done("restore", superres, inputs[0], inputs[2], "--out", tmp_path / "alone")
    assert tree(tmp_path / "out") == tree(tmp_path / "alone")
    assert sorted(tree(tmp_path / "out")) == ["good.png", "good2.png"]


def test_restore_of_broken_files_alone_leaves_nothing(superres: Path, files: Path, refused: Call) -> None:
    (files / "empty.png").write_bytes(b"")
    words = (files / "broken.jpg", files / "empty.png", "--out", "out")
    refused("restore", superres, *words, names="(and 1 more inputs failed)")


def test_restore_takes_a_folder(superres: Path, files: Path, tmp_path: Path) -> None:
    (files / "deep").mkdir()
    shutil.copy(files / "good.png", files / "deep" / "other.png")
    (files / "notes.txt").write_text("words\n")
    (files / ".hidden.png").write_bytes(b"")
    result = partly("restore", superres, files, "--out", tmp_path / "out", names="broken.jpg: cannot be")
    assert sorted(tree(tmp_path / "out")) == ["deep", "deep/other.png", "good.png", "good2.png"]
    assert "1 that are no image files: notes.txt" in result.stderr
    done("restore", superres, files / "good.png", "--out", tmp_path / "alone")
    assert (tmp_path / "alone" / "good.png").read_bytes() == (tmp_path / "out" / "good.png").read_bytes()


def test_restore_of_a_folder_without_pictures_and_of_two_of_one_name(
    superres: Path, files: Path, tmp_path: Path, refused: Call
) -> None:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").write_text("words\n")
    refused("restore", superres, tmp_path / "words", "--out", "out", names="has no image files")
    shutil.copy(files / "good.png", files / "good.jpg")
    refused("restore", superres, files, "--out", "out", names="two inputs are named good (")


def test_restore_keeps_the_form_or_says_what_changed(superres: Path, tmp_path: Path) -> None:
    rng, folder = np.random.default_rng(0), tmp_path / "forms"
    folder.mkdir()
    for name, channels in {"grey": (), "alpha": (4,), "rgb": (3,)}.items():
        Image.fromarray(rng.integers(0, 256, (12, 10, *channels), np.uint8)).save(folder / f"{name}.png")
    for i in range(7):
        Image.fromarray(rng.integers(0, 65536, (12, 10), np.uint16)).save(folder / f"deep{i}.png")
    result = done("restore", superres, folder, "--out", tmp_path / "out")
    modes = {path.stem: mode(path) for path in (tmp_path / "out").iterdir()}
    assert {name: modes[name] for name in ("grey", "alpha", "rgb", "deep0")} == {
        "grey": "L", "alpha": "RGBA", "rgb": "RGB", "deep0": "L"
    }  # fmt: skip
    said = "note: 16 bits a channel became 8: deep0, deep1, deep2, deep3, deep4 and 2 more"
    assert [line for line in result.stderr.splitlines() if line.startswith("note")] == [said]


def test_tokenize_and_detokenize_keep_the_rest(
    run: Path, broken_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modaloom.loom.codes.SHARD_SIZE", 8)
    count = len({path.name.split(".")[0] for path in broken_world.glob("0*")})
    codes, rebuilt = tmp_path / "codes", tmp_path / "rebuilt"
    result = partly("tokenize", run, broken_world, "--out", codes, names="000003.image.png: cannot be")
    assert f"{count} samples are in {codes}" in result.stderr
    done("detokenize", run, codes, "--out", rebuilt)
    written = {path.name for path in rebuilt.iterdir()}
    assert "000003.caption.txt" in written
    assert "000003.image.png" not in written
    assert len(written) == 2 * count - 1
    first, *others = json.loads((codes / shard_module.INDEX).read_text())["shards"]
    (codes / first["file"]).write_bytes(b"no shard")
    rest = sum(len(shard["keys"]) for shard in others)
    result = partly(
        "detokenize", run, codes, "--out", tmp_path / "less", names=f"{first['file']}: is not a shard"
    )
    assert f"{rest} samples are in {tmp_path / 'less'}" in result.stderr
    for shard in others:
        (codes / shard["file"]).write_bytes(b"no shard")
    assert call("detokenize", run, codes, "--out", tmp_path / "none").exit_code == 2
    assert not (tmp_path / "none").exists()


def test_generate_for_a_folder_keeps_the_rest(run: Path, broken_world: Path, tmp_path: Path) -> None:
    for path in broken_world.glob("*.caption.txt"):
        path.unlink()
    for path in sorted(broken_world.glob("*.png"))[4:]:
        path.unlink()  # a quarter of the files is broken
    words = ("generate", run, broken_world, "--want", "caption", "--steps", 2, "--out", tmp_path / "out")
    result = partly(*words, names="000003.image.png: cannot be")
    assert f"3 samples are in {tmp_path / 'out'}" in result.stderr
    assert len([*(tmp_path / "out").glob("*.txt")]) == 3


def test_audit_looks_at_the_rest(run: Path, broken_world: Path, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    result = partly("audit", run, broken_world, "--json", file, names="000003.image.png: cannot be")
    found = json.loads(file.read_text())
    assert [line.split(":")[0] for line in found["skipped"]] == ["000003.image.png"]
    assert "the most suspicious of" in result.stdout


def test_folders_of_which_nothing_can_be_read_are_refused(
    run: Path, broken_world: Path, tmp_path: Path, refused: Call
) -> None:
    for path in broken_world.glob("*.caption.txt"):
        path.unlink()
    for path in broken_world.glob("*.png"):
        path.write_bytes(b"no picture")
    for verb in (("tokenize",), ("generate", "--want", "caption")):
        refused(verb[0], run, broken_world, *verb[1:], "--out", "out", names="no file can be read")
    refused("audit", run, broken_world, names="no file can be read")
