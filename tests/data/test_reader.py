"""Reading with skips: named, counted, bounded."""

import pytest
from trees import Tree

from modaloom.core.errors import BadFolder
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader

GOOD = {f"{i}.txt": f"text {i}" for i in range(9)}


def test_values_are_read_and_literals_taken_as_they_are(tree: Tree) -> None:
    table = "file_name,caption\na.png,@nowhere\n"
    reader = Reader(open_folder(tree({"metadata.csv": table, "a.png": 4, "b.txt": "hello\n"})))
    first, second = (reader.read(sample) for sample in reader.folder.samples)
    assert first.streams["image"].size == (4, 4)
    assert first.streams["caption"] == "@nowhere"
    assert (second.key, second.streams) == ("b", {"text": "hello"})
    assert not reader.skips


def test_bad_files_are_skipped_named_and_counted_once(tree: Tree) -> None:
    root = tree({**GOOD, "x.txt": b"\xff", "x.image.png": 4})
    reader = Reader(open_folder(root))
    for _ in range(2):
        assert list(reader.column("text")) == list(GOOD.values())
    assert reader.read(reader.folder.samples[-1]).streams.keys() == {"image"}
    assert [(one.path, one.reason[:12]) for one in reader.skips.values()] == [("x.txt", "is not UTF-8")]


def test_files_that_go_away_are_skipped(tree: Tree) -> None:
    root = tree(GOOD)
    reader = Reader(open_folder(root))
    (root / "3.txt").unlink()
    assert len(list(reader.column("text"))) == 8
    assert [one.path for one in reader.skips.values()] == ["3.txt"]


def test_too_many_bad_files_stop_with_the_list(tree: Tree) -> None:
    reader = Reader(open_folder(tree({**GOOD, "x.txt": "", "y.txt": "", "z.txt": b"\xff"})))
    with pytest.raises(BadFolder, match=r"(?s)x\.txt: is empty.*y\.txt: is empty.*z\.txt: is not UTF-8"):
        list(reader.column("text"))


def test_only_the_streams_asked_for_count(tree: Tree) -> None:
    files = {f"{i}.png": 4 for i in range(20)}
    root = tree({**files, "x.txt": "", "y.txt": "fine"})
    assert len(list(Reader(open_folder(root)).column("text"))) == 1
    with pytest.raises(BadFolder, match="too many"):
        list(Reader(open_folder(root), streams=["text"]).column("text"))
    assert (
        len(list(Reader(open_folder(root), streams=["text"], max_skipped_fraction=0.5).column("text"))) == 1
    )
