"""Equal files of a stream."""

from pathlib import Path

from trees import Tree

from modaloom.data.copies import digest, equal_files
from modaloom.data.folder import open_folder


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    for name, content in {"one.png": b"x", "two.png": b"x", "three.png": b"y"}.items():
        (tmp_path / name).write_bytes(content)
    assert digest(tmp_path / "one.png") == digest(tmp_path / "two.png") != digest(tmp_path / "three.png")
    assert digest("words") == digest("words") != digest("other words")
    assert digest(tmp_path / "gone.png") is None


def test_files_of_equal_bytes_and_no_others(tree: Tree) -> None:
    contents = {"1": "same", "2": "same", "3": "Same", "4": "longer", "5": "longer", "6": "same"}
    root = tree({f"{key}.txt": text for key, text in contents.items()})
    assert sorted(equal_files(open_folder(root), "text")) == [["1", "2", "6"], ["4", "5"]]
