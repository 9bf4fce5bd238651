"""The data contract."""

import os
import unicodedata
from pathlib import Path

import pytest
from trees import Tree

from modaloom.core.errors import BadFile, BadFolder
from modaloom.data.folder import Folder, open_folder


def shown(folder: Folder) -> dict[str, dict[str, str]]:
    """Key → stream → source, files without the folder's path."""
    return {
        sample.key: {
            name: source.relative_to(folder.path).as_posix() if isinstance(source, Path) else f"={source}"
            for name, source in sample.streams.items()
        }
        for sample in folder.samples
    }


def reasons(folder: Folder) -> dict[str, str]:
    return {one.path: one.reason for one in folder.problems}


def test_files_with_one_stem_are_one_sample_and_may_be_missing(tree: Tree) -> None:
    names = ["0002.txt", "0001.png", "0001.json", "0001.caption.txt", "sub/0001.txt"]
    folder = open_folder(tree(dict.fromkeys(names, "x")))
    assert shown(folder) == {
        "0001": {"caption": "0001.caption.txt", "image": "0001.png", "record": "0001.json"},
        "0002": {"text": "0002.txt"},
        "sub/0001": {"text": "sub/0001.txt"},
    }
    assert folder.modality_of == {"caption": "text", "image": "image", "record": "record", "text": "text"}
    assert folder.splits is None
    assert not folder.problems


@pytest.mark.parametrize("pair", [("1.png", "1.jpg"), ("1.png", "1.image.png"), ("1.txt", "1.TXT")])
def test_two_files_for_one_stream_are_an_error_that_names_both(pair: tuple[str, str], tree: Tree) -> None:
    with pytest.raises(BadFolder) as caught:
        open_folder(tree(dict.fromkeys(pair, "x")))
    assert all(f"/{name}" in str(caught.value) for name in pair)


def test_a_stream_of_two_modalities_is_an_error_that_names_both(tree: Tree) -> None:
    with pytest.raises(BadFolder, match=r"1\.scan\.png.*2\.scan\.txt"):
        open_folder(tree({"1.scan.png": 4, "2.scan.txt": "x"}))


@pytest.mark.parametrize("suffixes", [("png", "txt"), ("png",)])
def test_surnames_and_domains_are_no_streams(suffixes: tuple[str, ...], tree: Tree) -> None:
    stems = ["Ada.Lovelace", "Alan.Turing", "Emmy.Noether", "example.com_1", "v1.2.final"]
    names = [f"{stem}.{suffix}" for stem in stems for suffix in suffixes]
    folder = open_folder(tree({**dict.fromkeys(names, "x"), "Ada.Lovelace.mask.png": 4, "b.mask.png": 4}))
    streams = {"png": "image", "txt": "text"}
    expected = {stem: {streams[suffix]: f"{stem}.{suffix}" for suffix in suffixes} for stem in stems}
    expected["Ada.Lovelace"]["mask"] = "Ada.Lovelace.mask.png"
    assert shown(folder) == {**expected, "b": {"mask": "b.mask.png"}}


def test_a_stream_with_one_sample_that_contradicts_it_is_an_error(tree: Tree) -> None:
    names = ["1.mask.png", "2.mask.png", "3.mask.png", "3.mask.txt"]
    with pytest.raises(BadFolder, match=r"stream 'mask' is image in .* and text in .*3\.mask\.txt"):
        open_folder(tree(dict.fromkeys(names, "x")))


def test_a_single_sample_may_have_streams_of_its_own(tree: Tree) -> None:
    folder = open_folder(tree(dict.fromkeys(["1.a.txt", "1.b.txt", "1.c.d.txt", "1.e.png", "2.f.txt"], "x")))
    assert shown(folder) == {
        "1": {"a": "1.a.txt", "b": "1.b.txt", "c.d": "1.c.d.txt", "e": "1.e.png"},
        "2": {"f": "2.f.txt"},
    }


def test_missing_empty_and_file_in_place_of_a_folder(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="is not a folder; give one with files such as"):
        open_folder(tmp_path / "nowhere")
    with pytest.raises(BadFolder, match=r"has no samples; put files there that end in one of \.png"):
        open_folder(tree({"README.md": "x", "_world.jsonl": "x"}))
    with pytest.raises(BadFolder, match=r"song\.xyz: has an unknown suffix \(\.xyz\)"):
        open_folder(tree({"song.xyz": "x"}))
    with pytest.raises(BadFolder, match="is not a folder"):
        open_folder(tree({"a.txt": "x"}) / "a.txt")


def test_unknown_files_and_pipes_are_named_and_left_out(tree: Tree) -> None:
    root = tree({"1.txt": "x", "1.xyz": "x", "Makefile": "x"})
    os.mkfifo(root / "2.txt")
    folder = open_folder(root)
    assert shown(folder) == {"1": {"text": "1.txt"}}
    assert reasons(folder) == {
        "1.xyz": "has an unknown suffix (.xyz)",
        "Makefile": "has an unknown suffix (none)",
        "2.txt": "is not a regular file",
    }


def test_top_folders_fix_the_splits(tree: Tree) -> None:
    names = ["train/1", "train/a/2", "valid/1", "test-seen/1", "test-level1/1", "tests/1", "3"]
    folder = open_folder(tree({f"{name}.txt": "x" for name in names}))
    assert folder.splits == {
        "train/1": "train", "train/a/2": "train", "valid/1": "val",
        "test-seen/1": "test-seen", "test-level1/1": "test-level1",
    }  # fmt: skip
    assert {sample.key for sample in folder.samples} == set(folder.splits)
    assert reasons(folder) == dict.fromkeys(("3", "tests/1"), "is in no split")


def test_synonyms_of_splits(tree: Tree) -> None:
    folder = open_folder(tree({f"{name}/1.txt": "x" for name in ["training", "validation", "testing"]}))
    assert folder.splits == {"training/1": "train", "validation/1": "val", "testing/1": "test"}
    assert "label" not in folder.modality_of


def test_names_pair_whatever_their_unicode_form(tree: Tree) -> None:
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    folder = open_folder(tree({f"{composed}.png": 4, f"{decomposed}.txt": "x"}))
    assert shown(folder) == {composed: {"image": f"{composed}.png", "text": f"{decomposed}.txt"}}


def test_a_class_that_is_called_test_is_no_split(tree: Tree) -> None:
    folder = open_folder(tree({f"{name}/{name}{i}.png": 4 for name in ("test", "control") for i in range(2)}))
    assert folder.splits is None
    assert {sample.streams["label"] for sample in folder.samples} == {"test", "control"}


@pytest.mark.parametrize("top", ["", "train/"])
def test_class_folders_become_labels(top: str, tree: Tree) -> None:
    folder = open_folder(tree({f"{top}{kind}/{kind}{i}.png": 4 for kind in ("cat", "dog") for i in range(2)}))
    assert shown(folder)[f"{top}cat/cat1"] == {"image": f"{top}cat/cat1.png", "label": "=cat"}
    assert folder.modality_of == {"image": "image", "label": "text"}


@pytest.mark.parametrize(
    "files",
    [
        ["images/1.png", "images/2.png", "texts/1.txt", "texts/2.txt"],  # a folder a modality
        ["p1/1.png", "p2/1.png", "p3/1.png"],  # a folder a sample
        ["cat/1.png", "cat/2.png", "dog/4.png", "dog/5.png", "3.png"],  # one lies outside
        ["all/1.png", "all/2.png"],  # one class is none
        ["a/b/1.png", "a/b/2.png", "a/c/3.png", "a/c/4.png"],  # deeper
        ["00000/000001.png", "00000/000002.png", "00001/000011.png", "00001/000012.png"],  # parts
    ],
)
def test_other_folders_are_no_classes(files: list[str], tree: Tree) -> None:
    assert "label" not in open_folder(tree(dict.fromkeys(files, "x"))).modality_of


def test_a_label_stream_of_ones_own_is_kept(tree: Tree) -> None:
    files = {f"{kind}/{i}.label.txt": "mine" for kind in ("cat", "dog") for i in range(2)}
    assert shown(open_folder(tree(files)))["cat/0"] == {"label": "cat/0.label.txt"}


def test_csv_rows_pair_files_and_hold_texts(tree: Tree) -> None:
    table = 'file_name,speech_file_name,text,age\na.png,deep/s.txt,@literal,3\nb.png,,"two\nlines",\n'
    folder = open_folder(tree({"metadata.csv": table, "a.png": 4, "b.png": 4, "c.png": 4, "deep/s.txt": "x"}))
    assert shown(folder) == {
        "a": {"age": "={'age': 3}", "image": "a.png", "speech": "deep/s.txt", "text": "=@literal"},
        "b": {"image": "b.png", "text": "=two\nlines"},
        "c": {"image": "c.png"},
    }


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_tables_as_spreadsheets_write_them(delimiter: str, mark: str, tree: Tree) -> None:
    rows = [["file_name", "text"], ["a.png", '"one, two; three"'], ["b.png", "four"]]
    table = mark + "".join(delimiter.join(row) + "\r\n" for row in rows)
    folder = open_folder(tree({"metadata.csv": table, "a.png": 4, "b.png": 4}))
    assert shown(folder) == {
        "a": {"image": "a.png", "text": "=one, two; three"},
        "b": {"image": "b.png", "text": "=four"},
    }


def test_a_table_without_a_column_of_files_is_refused(tree: Tree) -> None:
    table = "caption;price\na thing;3\n"
    with pytest.raises(
        BadFile, match=r"metadata\.csv: has no column file_name or NAME_file_name.*'caption', 'price'"
    ):
        open_folder(tree({"metadata.csv": table, "a.png": 4}))


def test_paths_as_other_programs_write_them(tree: Tree) -> None:
    root = tree({"deep/a.png": 4, "b.png": 4})
    (root / "metadata.csv").write_text(f"file_name,text\ndeep\\a.png ,one\n{root.absolute()}/b.png,two\n")
    folder = open_folder(root)
    assert shown(folder) == {
        "b": {"image": "b.png", "text": "=two"},
        "deep/a": {"image": "deep/a.png", "text": "=one"},
    }
    assert not folder.problems


def test_jsonl_rows_in_a_split_folder(tree: Tree) -> None:
    table = '{"file_name": "a.png", "text": "hi", "n": 3, "none": null}\n\n{"file_name": "b.png", "t": [1]}\n'
    folder = open_folder(tree({"train/metadata.jsonl": table, "train/a.png": 4, "train/b.png": 4}))
    assert shown(folder) == {
        "train/a": {"image": "train/a.png", "n": "={'n': 3}", "text": "=hi"},
        "train/b": {"image": "train/b.png"},
    }
    assert set(folder.splits or ()) == {"train/a", "train/b"}


def test_rows_that_name_nothing_are_named(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x")
    table = f"file_name,my column\nz.png,\n../secret.txt,\n{tmp_path}/secret.txt,\n,x\na.png,x\n"
    folder = open_folder(tree({"metadata.csv": table, "a.png": 4}))
    assert shown(folder) == {"a": {"image": "a.png", "my_column": "=x"}}
    assert [one.reason.split(",")[0] for one in folder.problems] == [
        "line 2 names 'z.png'",
        "line 3 names '../secret.txt'",
        f"line 4 names '{tmp_path}/secret.txt'",
        "line 5 has no file",
    ]


def test_a_table_that_contradicts_a_file_is_an_error_that_names_both(tree: Tree) -> None:
    table = "file_name,text\na.png,hello\n"
    with pytest.raises(BadFolder, match=r"two values for stream 'text' of sample 'a': 'hello' and .*a\.txt"):
        open_folder(tree({"metadata.csv": table, "a.png": 4, "a.txt": "x"}))


@pytest.mark.parametrize(
    ("name", "table", "reason"),
    [
        ("metadata.csv", "file_name,text\na.png\n", "line 2 has 1 columns instead of 2"),
        ("metadata.csv", "file_name,text\na.png,b,c\n", "line 2 has 3 columns instead of 2"),
        ("metadata.csv", 'file_name\n"a.png', "is not CSV after line 2"),
        ("metadata.csv", b"file_name\n\xff\n", "is not UTF-8"),
        ("metadata.csv", "", "is empty"),
        ("metadata.jsonl", "{}\n{'a'}\n", "line 2 is not JSON"),
        ("metadata.jsonl", "[1]\n", "line 1 is not a JSON object"),
    ],
)
def test_broken_tables_are_refused(name: str, table: str | bytes, reason: str, tree: Tree) -> None:
    with pytest.raises(BadFile, match=f"{name}: {reason}"):
        open_folder(tree({name: table, "a.png": 4}))


def test_thousands_of_bad_rows_are_a_few_lines(tree: Tree) -> None:
    table = "file_name,text\n" + "".join(f"gone-{i}.png,words\n" for i in range(5000))
    folder = open_folder(tree({"metadata.csv": table, "a.png": 4}))
    assert [one.reason.split(",")[0] for one in folder.problems] == [
        *(f"line {i + 2} names 'gone-{i}.png'" for i in range(5)),
        "4",
    ]
    assert folder.problems[-1].reason == "4,995 more lines name no readable sample file, or none"
