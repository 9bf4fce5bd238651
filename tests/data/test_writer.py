"""Written folders: datasets again, whole or not at all."""

import json

import numpy as np
import pytest
from PIL import Image

from modaloom.core.errors import BadFolder, BadValue, WorkFailed
from modaloom.core.types import Sample
from modaloom.data.atomic_io import new_folder
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.data.writer import PROVENANCE, writing

MODALITY_OF = {"image": "image", "caption": "text", "image.gray": "image"}


def samples():
    rng = np.random.default_rng(0)
    picture = [Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)) for _ in range(3)]
    return [
        Sample("0000", {"image": picture[0], "caption": "drei Bäume"}),
        Sample("deep/0001", {"image": picture[1], "image.gray": picture[2]}),
        Sample("0002", {"caption": "alone"}),
    ]


def left(folder):
    """Everything beside the folder, hidden files too."""
    return sorted(path.name for path in folder.parent.iterdir())


def test_what_is_written_is_read_back(tmp_path):
    with writing(tmp_path / "out", MODALITY_OF) as writer:
        for sample in samples():
            writer.write(sample, {"seed": 3, "note": "ä"})
    index = open_folder(tmp_path / "out")
    assert index.modality_of == MODALITY_OF
    assert not index.problems
    found = {s.key: Reader(index).read(s).streams for s in index.samples}
    expected = {s.key: s.streams for s in samples()}
    assert {k: {*v} for k, v in found.items()} == {k: {*v} for k, v in expected.items()}
    for key, streams in expected.items():
        for name, value in streams.items():
            same = np.array_equal if MODALITY_OF[name] == "image" else str.__eq__
            assert same(found[key][name], value), (key, name)
    lines = (tmp_path / "out" / PROVENANCE).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"key": s.key, "seed": 3, "note": "ä"} for s in samples()]
    assert left(tmp_path / "out") == ["out"]


def test_names_follow_the_data_contract_and_no_provenance_is_no_file(tmp_path):
    with writing(tmp_path / "out", MODALITY_OF) as writer:
        for sample in samples():
            writer.write(sample)
    files = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*"))
    assert files == [
        "0000.caption.txt",
        "0000.image.png",
        "0002.caption.txt",
        "deep/0001.image.gray.png",
        "deep/0001.image.png",
    ]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
@pytest.mark.parametrize("empty_before", [False, True])
def test_an_error_leaves_nothing_behind(tmp_path, error, empty_before):
    target = tmp_path / "out"
    if empty_before:
        target.mkdir()
    before = left(target)
    with pytest.raises(type(error)), writing(target, MODALITY_OF) as writer:  # noqa: PT012 - the error must come after a write
        writer.write(samples()[0])
        assert left(target) != before
        raise error
    assert left(target) == before
    assert not empty_before or not any(target.iterdir())


def test_nothing_stands_there_before_all_does(tmp_path):
    with new_folder(tmp_path / "out") as root:
        (root / "a.txt").write_text("a")
        assert not (tmp_path / "out").exists()
        assert root.name.startswith(".")
    assert (tmp_path / "out" / "a.txt").read_text() == "a"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


def test_an_empty_folder_and_missing_parents_are_fine(tmp_path):
    (tmp_path / "empty").mkdir()
    for target in (tmp_path / "empty", tmp_path / "new" / "deep"):
        with new_folder(target) as root:
            (root / "a.txt").write_text("a")
        assert [p.name for p in target.iterdir()] == ["a.txt"]


def test_a_folder_with_files_or_a_file_is_refused_and_untouched(tmp_path):
    (tmp_path / "full").mkdir()
    for path in (tmp_path / "full" / "mine.txt", tmp_path / "file"):
        path.write_text("mine")
    for target in (tmp_path / "full", tmp_path / "file"):
        with pytest.raises(BadFolder, match="not empty"), new_folder(target):
            pytest.fail("entered")
    assert {p.read_text() for p in (tmp_path / "full" / "mine.txt", tmp_path / "file")} == {"mine"}
    assert left(tmp_path / "full") == ["file", "full"]


def test_a_disk_that_refuses_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkFailed, match="could not be written"), new_folder(tmp_path / "file" / "out"):
        pytest.fail("entered")
    with pytest.raises(WorkFailed, match="No space"), new_folder(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert left(tmp_path / "out") == ["file"]


@pytest.mark.parametrize("key", ["../escaped", "{}/escaped", "a/../../escaped", ".."])
def test_no_key_leads_out_of_the_folder(tmp_path, key):
    """Keys come from shards that others wrote."""
    with (
        pytest.raises(BadValue, match="must be a path inside the folder"),
        writing(tmp_path / "out", MODALITY_OF) as writer,
    ):
        writer.write(Sample(key.format(tmp_path), {"caption": "out"}))
    assert not any(tmp_path.iterdir())


def test_dots_in_a_key_are_no_way_out(tmp_path):
    with writing(tmp_path / "out", MODALITY_OF) as writer:
        writer.write(Sample("a..b/c", {"caption": "in"}))
    assert (tmp_path / "out" / "a..b" / "c.caption.txt").exists()
