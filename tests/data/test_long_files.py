"""Long files of text, cut into windows. Oracle: the windows of a file, joined, are the file."""

from pathlib import Path

import pytest
from trees import Tree

from modaloom.core.errors import BadFolder
from modaloom.data.folder import Folder, open_folder
from modaloom.data.inspect import inspect
from modaloom.data.split import split
from modaloom.runs.config import DataConfig

LIMIT = 64


def prose(book: str, words: int = 600) -> str:
    return " ".join(f"{book}{i * i % 89}" for i in range(words)) + ".\n"


def texts(folder: Folder) -> dict[str, str]:
    """File → its windows, joined in order of their keys."""
    found: dict[str, str] = {}
    for sample in folder.samples:
        name = sample.key.partition("#")[0]
        found[name] = found.get(name, "") + sample.streams["text"]
    return found


@pytest.fixture
def books(tree: Tree) -> Path:
    return tree({f"{name}.txt": prose(name) for name in "abcd"})


def test_windows_are_samples_and_a_file_stays_in_one_split(books: Path) -> None:
    folder = open_folder(books)
    assert texts(folder) == {name: prose(name) for name in "abcd"}
    assert all(len(sample.streams["text"].encode()) <= LIMIT for sample in folder.samples)
    assert [sample.key for sample in folder.samples] == sorted(sample.key for sample in folder.samples)
    sides = {(key.partition("#")[0], side) for key, side in split(folder).items()}
    assert len(sides) == 4, "a file is in two splits"
    assert {side for _, side in sides} == {"train", "val", "test"}
    (said,) = folder.recognised
    for part in (f"4 long files are cut into {len(folder.samples)} windows", "max_tokens=64", "in one split"):
        assert part in said


def test_what_a_configuration_says_is_the_size(books: Path) -> None:
    longer = DataConfig(limits={"text": {"max_tokens": 2 * LIMIT}}).open(books)
    assert LIMIT < max(len(sample.streams["text"]) for sample in longer.samples) <= 2 * LIMIT
    assert texts(longer) == texts(open_folder(books))


def test_inspect_says_it(books: Path) -> None:
    found = inspect(open_folder(books))
    assert found.layout == "windows"
    assert "are cut into" in found.recognised[0]
    assert found.streams["text"].facts["longest"] <= LIMIT


@pytest.mark.parametrize(
    "names",
    [
        {f"{i}.txt": prose("a", 100) for i in range(4)},  # several times the limit, but no books
        {f"{i}.txt": prose("a") if i == 1 else "a short text" for i in range(4)},
        {f"{i}.{stream}.txt": prose("a") for i in range(4) for stream in ("plain", "old")},
        {f"{kind}/{kind}{i}x.txt": prose("a") for kind in ("ham", "spam") for i in range(4)},
        {
            f"{i}.{suffix}": prose("a") if suffix == "txt" else 4
            for i in range(4)
            for suffix in ("txt", "png")
        },
    ],
    ids=["short", "mostly short", "pairs", "labelled", "with pictures"],
)
def test_other_texts_are_samples_as_they_are(names: dict[str, str | int], tree: Tree) -> None:
    folder = open_folder(tree(names))
    assert not any("#" in sample.key for sample in folder.samples)
    assert folder.layout != "windows"


def test_stems_take_each_file_as_a_sample(books: Path) -> None:
    assert [sample.key for sample in open_folder(books, "stems").samples] == [*"abcd"]


def test_windows_that_are_asked_for(tree: Tree) -> None:
    short = tree({f"old/{i}.txt": prose("a", 30) for i in range(3)})
    assert len(open_folder(short, "windows").samples) == 6


def test_what_a_table_says_of_a_file_it_says_of_its_windows(tree: Tree) -> None:
    table = "file_name,author\n" + "".join(f"{i}.txt,{name}\n" for i, name in enumerate("pqr"))
    folder = open_folder(tree({"books.csv": table, **{f"{i}.txt": prose("a") for i in range(3)}}), "windows")
    assert {(sample.key[0], sample.streams["author"]) for sample in folder.samples} == {*zip("012", "pqr")}


def test_files_beside_texts_are_not_cut(tree: Tree) -> None:
    with pytest.raises(BadFolder, match="no layout 'windows'"):
        open_folder(tree({"0.txt": prose("a"), "0.png": 4}), "windows")


def test_folders_of_splits_stay(tree: Tree) -> None:
    folder = open_folder(tree({f"{side}/{side}.txt": prose("a") for side in ("train", "val", "test")}))
    assert folder.splits is not None
    assert {key.split("/")[0]: side for key, side in folder.splits.items()} == {
        side: side for side in ("train", "val", "test")
    }
    assert len(folder.splits) == len(folder.samples) > 3


def test_splits_divide_a_file_that_is_alone(tree: Tree) -> None:
    folder = open_folder(tree({"book.txt": prose("a")}))
    assert {*split(folder).values()} == {"train", "val", "test"}
    assert "splits divide files" in folder.recognised[0]


def test_files_that_cannot_be_read_are_listed(books: Path) -> None:
    (books / "e.txt").write_bytes(b"\xff\xfe" * 5000)
    (books / "f.txt").write_bytes(b"")
    folder = open_folder(books)
    assert [(one.path, one.reason) for one in folder.problems] == [
        ("e.txt", "is not UTF-8 text (byte 0)"),
        ("f.txt", "is empty"),
    ]
    assert texts(folder).keys() == {*"abcd"}


def test_longer_files_than_a_text_may_be(tree: Tree) -> None:
    folder = open_folder(tree({f"{name}.txt": prose(name, 300_000) for name in "ab"}))
    assert texts(folder)["a"] == prose("a", 300_000)
