"""Tables: what is read, and what rows are joined with."""

import json
import math
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from trees import Contents, Tree

from modaloom.core.errors import BadFile, BadFolder
from modaloom.data.advice import advise
from modaloom.data.folder import Folder, open_folder
from modaloom.data.split import split
from modaloom.data.tables import read_table

PICTURES: dict[str, Contents] = {f"{name}.png": 4 for name in "abcd"}


def values(folder: Folder) -> dict[str, dict[str, Any]]:
    """Key → stream → file below the folder, text, or the record of a table."""
    return {
        sample.key: {
            name: source.relative_to(folder.path).as_posix() if isinstance(source, Path) else source
            for name, source in sample.streams.items()
        }
        for sample in folder.samples
    }


def reasons(folder: Folder) -> list[str]:
    return [f"{one.path}: {one.reason}" for one in folder.problems]


@pytest.mark.parametrize(
    ("cells", "typed"),
    [
        (["1", "-2", ""], [1, -2, None]),
        (["1.5", ".5", "1e3"], [1.5, 0.5, 1000.0]),
        (["1", "n/a", "NaN"], [1, None, None]),
        (["true", "False", ""], [True, False, None]),
        (["007", "008", "010"], ["007", "008", "010"]),  # identifiers
        (["red", "", "3"], ["red", None, "3"]),
        (["2023-01-02", "2023-01-03"], ["2023-01-02", "2023-01-03"]),
        (["1e999", "2", "-Infinity"], [None, 2, None]),
        (["7", "7.0", "+7", "7e0"], [7, 7, 7, 7]),
        (["7", "7.0", "7.5"], [7.0, 7.0, 7.5]),
        ([" red ", "red"], ["red", "red"]),
        (["true", "1", "0"], ["true", "1", "0"]),
    ],
)
def test_a_column_has_one_type(cells: list[str], typed: list[object], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{cell},z\n" for cell in cells))
    table = read_table(path)
    assert table.cells["x"] == typed
    assert [type(cell) for cell in table.cells["x"]] == [type(cell) for cell in typed]


def test_decimal_commas_of_spreadsheets(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x;y\n1,5;one, two\n2,25;three\n")
    assert read_table(path).cells == {"x": [1.5, 2.25], "y": ["one, two", "three"]}


def test_odd_cells_of_a_column_of_numbers_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{i},z\n" for i in range(1, 20)) + "many,z\n")
    table = read_table(path)
    assert table.cells["x"][-1] is None
    assert table.problems == ["line 21: 'x' is 'many', no number"]


ODD: list[Any] = [1, 2.5, math.inf, None, math.nan, *range(30), 1e301, "many"]
"""Cells of a column of numbers: lines 2, 5 and 6 have no finite one."""


def _csv(path: Path, cells: list[Any]) -> Path:
    path.write_text("x,y\n" + "".join(f"{'' if one is None else one},z\n" for one in cells))
    return path


def _jsonl(path: Path, cells: list[Any]) -> Path:
    path.write_text("".join(json.dumps({"x": one, "y": "z"}) + "\n" for one in cells))
    return path


def _parquet(path: Path, cells: list[Any]) -> Path:
    parquet.write_table(pa.table({"x": pa.array(cells), "y": ["z"] * len(cells)}), path)
    return path


@pytest.mark.parametrize(
    ("write", "suffix", "first", "odd"),
    [
        (_csv, "csv", 2, {2: "'inf'", 35: "'1e+301'", 36: "'many'"}),
        (_jsonl, "jsonl", 1, {2: "'Infinity'", 35: "'1e+301'", 36: "'many'"}),
        (_parquet, "parquet", 1, {2: "'Infinity'", 35: "'1e+301'"}),  # a column has one type
    ],
)
def test_infinities_are_named_and_nan_is_told_in_every_format(
    write: Callable[[Path, list[Any]], Path], suffix: str, first: int, odd: dict[int, str], tree: Tree
) -> None:
    cells = ODD[: max(odd) + 1]
    table = write(tree({}) / f"t.{suffix}", cells)
    folder = open_folder(table.parent)
    whole = [float(one) if i not in (*odd, 3, 4) else None for i, one in enumerate(cells)]
    found = [folder.samples[i].streams.get("x") for i in range(len(cells))]
    assert found == [None if one is None else {"x": one} for one in whole]
    kinds = {row: "number" if said == "'many'" else "finite number" for row, said in odd.items()}
    assert reasons(folder) == [
        f"t.{suffix}: line {row + first}: 'x' is {said}, no {kinds[row]}" for row, said in odd.items()
    ]
    assert any(
        f"t.{suffix}: counts as missing: " in one and "in 1 of 'x'" in one for one in folder.recognised
    )


def test_columns_of_several_types_are_read_as_they_are_written(tree: Tree) -> None:
    rows: list[dict[str, Any]] = [
        {"age": 63, "grade": "a", "mix": 1, "day": {"n": 1.0}, "list": {"x": 1}},
        {"age": "58", "grade": 2, "mix": True, "day": {"n": math.inf}, "list": 3},
        {"age": 7.0, "grade": "c", "mix": "x", "day": None, "list": None},
    ]
    folder = open_folder(tree({"t.jsonl": "\n".join(map(json.dumps, rows))}))
    assert values(folder) == {
        "1": {"age": {"age": 63}, "grade": "a", "mix": "1", "day": {"n": 1}},
        "2": {"age": {"age": 58}, "grade": "2", "mix": "true"},
        "3": {"age": {"age": 7}, "grade": "c", "mix": "x"},
    }
    assert reasons(folder) == [
        "t.jsonl: line 2: 'day.n' is 'Infinity', no finite number",
        "t.jsonl: column 'list' holds records and other values, which are not read",
    ]


def test_dates_and_decimals_of_parquet(tree: Tree) -> None:
    root = tree({})
    columns = {"day": [date(2026, 1, 2), None], "price": [Decimal("7.00"), Decimal("8.00")]}
    parquet.write_table(pa.table(columns), root / "t.parquet")
    assert values(open_folder(root)) == {
        "1": {"day": "2026-01-02", "price": {"price": 7}}, "2": {"price": {"price": 8}},
    }  # fmt: skip


def test_numbers_name_samples_however_they_are_written(tree: Tree) -> None:
    """As pandas writes integers of which some are missing."""
    files: dict[str, Contents] = {f"p{p}_{i}.png": 4 for p in (1, 2) for i in range(2)}
    tables = {
        "views.csv": "file_name,patient\n" + "".join(f"p{p}_{i}.png,{p}.0\n" for p in (1, 2) for i in (0, 1)),
        "patients.jsonl": '{"patient": 1, "sex": "f"}\n{"patient": 2, "sex": "m"}',
    }
    found = values(open_folder(tree({**files, **tables})))
    assert [found[f"p{p}_1"]["sex"] for p in (1, 2)] == ["f", "m"]


def test_quotes_that_belong_to_the_text(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text('path\tsentence\na\t"Hello," he said.\nb\tfine\n')
    assert read_table(path).cells["sentence"] == ['"Hello," he said.', "fine"]


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_a_few_lines_of_another_length_are_named_and_left_out(delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = ["x,y", *(f"{i},z" for i in range(20)), "20", "21,z,z", ""]
    path.write_text("\n".join(lines).replace(",", delimiter))
    table = read_table(path)
    assert table.cells["x"] == [*range(20)]
    assert table.problems == [
        "line 22 has 1 columns instead of 2",
        "line 23 has 3 columns instead of 2",
    ]


def test_many_lines_of_another_length_and_none_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "1,2,\n" * 9)
    with pytest.raises(BadFile, match="line 2 has 3 columns instead of 2; 9 of 9 lines have other"):
        read_table(path)
    path.write_text("x,y\n")
    with pytest.raises(BadFile, match="has no rows"):
        read_table(path)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,x\n1,2\n")
    with pytest.raises(BadFile, match="two columns 'x'"):
        read_table(path)


TITLES = ["file_name", "filename", "file", "path", "image", "image_path", "key", "id"]


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("suffix", [".png", ""])
def test_titles_of_the_column_of_files(title: str, suffix: str, tree: Tree) -> None:
    table = f"{title},text,price\n" + "".join(
        f"{name}{suffix},say {name},{i}.5\n" for i, name in enumerate("abc")
    )
    folder = open_folder(tree({**PICTURES, "notes.csv": table}))
    assert values(folder) == {
        **{
            n: {"image": f"{n}.png", "text": f"say {n}", "price": {"price": i + 0.5}}
            for i, n in enumerate("abc")
        },
        "d": {"image": "d.png"},
    }
    assert folder.modality_of == {"image": "image", "price": "record", "text": "text"}
    assert not folder.problems


@pytest.mark.parametrize("delimiter", ["|", "\t"])
def test_lists_without_a_title(delimiter: str, tree: Tree) -> None:
    rows = [["a", "Ms. One, first", "Miss One, first"], ["b", "two", "two"]]
    table = "\n".join(delimiter.join(row) for row in rows)
    folder = open_folder(tree({"wavs/a.png": 4, "wavs/b.png": 4, "metadata.csv": table}))
    assert values(folder)["wavs/a"] == {
        "image": "wavs/a.png",
        "text": "Ms. One, first",
        "text_2": "Miss One, first",
    }


def test_tables_of_splits(tree: Tree) -> None:
    head = "client_id\tpath\tsentence\tup_votes\n"
    rows = [f"s{i}\t{name}.png\tsay {name}\t{i}\n" for i, name in enumerate("abcd")]
    files = {f"clips/{name}.png": 4 for name in "abcd"}
    tables = {"train.tsv": head + rows[0] + rows[1], "dev.tsv": head + rows[2], "test.tsv": head + rows[3]}
    folder = open_folder(tree({**files, **tables, "validated.tsv": head + "".join(rows)}))
    assert folder.splits == {"clips/a": "train", "clips/b": "train", "clips/c": "val", "clips/d": "test"}
    assert values(folder)["clips/c"] == {
        "client_id": "s2", "image": "clips/c.png", "sentence": "say c", "up_votes": {"up_votes": 2},
    }  # fmt: skip


def test_a_column_of_splits(tree: Tree) -> None:
    table = "file_name,split\na.png,train\nb.png,train\nc.png,validation\nd.png,test\n"
    folder = open_folder(tree({**PICTURES, "labels.csv": table}))
    assert folder.splits == {"a": "train", "b": "train", "c": "val", "d": "test"}
    assert set(folder.modality_of) == {"image"}


def test_several_texts_of_one_picture(tree: Tree) -> None:
    table = "file_name,text\na.png,one\na.png,uno\na.png,one\nb.png,two\n"
    folder = open_folder(tree({**PICTURES, "metadata.csv": table}))
    found = values(folder)
    assert found["a"] == {"image": "a.png", "text": "one"}
    assert found["a#2"] == {"image": "a.png", "text": "uno"}
    assert set(found) == {"a", "a#2", "b", "c", "d"}
    assert folder.groups == {"a#2": "a"}
    for seed in range(20):
        split_of = split(folder, seed=seed)
        assert split_of["a"] == split_of["a#2"]


def test_lists_of_texts(tree: Tree) -> None:
    table = json.dumps({"file_name": "a.png", "captions": ["one", "uno"], "n": 3})
    folder = open_folder(tree({**PICTURES, "metadata.jsonl": table}))
    assert values(folder)["a"] == {"image": "a.png", "captions": "one", "n": {"n": 3}}
    assert values(folder)["a#2"] == {"image": "a.png", "captions": "uno", "n": {"n": 3}}


def test_two_tables_with_the_same_rows(tree: Tree) -> None:
    rows = [{"file_name": f"{name}.png", "text": f"say {name}", "n": 3} for name in "ab"]
    table = "file_name,text,n\n" + "".join(f"{r['file_name']},{r['text']},3\n" for r in rows)
    lines = "\n".join(map(json.dumps, rows))
    folder = open_folder(tree({**PICTURES, "metadata.csv": table, "metadata.jsonl": lines}))
    assert values(folder)["a"] == {"image": "a.png", "text": "say a", "n": {"n": 3}}
    assert set(values(folder)) == {"a", "b", "c", "d"}


def test_two_tables_that_contradict_each_other_are_refused(tree: Tree) -> None:
    tables = {"one.csv": "file_name,text\na.png,x\n", "two.csv": "file_name,text\na.png,y\n"}
    with pytest.raises(BadFolder, match=r"two values for stream 'text' of sample 'a': 'x' and 'y'"):
        open_folder(tree({**PICTURES, **tables}))


@pytest.mark.parametrize("name", ["p{}/slice{:02}", "p{}_slice{:02}", "scans/p{}-{:02}"])
def test_a_row_of_a_group_belongs_to_all_its_samples(name: str, tree: Tree) -> None:
    files: dict[str, Contents] = {f"{name.format(p, i)}.png": 4 for p in (1, 2, 3) for i in range(4)}
    table = "patient,age,sex\np1,63,f\np2,58,m\np9,1,f\n"
    folder = open_folder(tree({**files, "patients.csv": table}))
    assert len(folder.samples) == 12
    for i in range(4):
        found = values(folder)[name.format(1, i)]
        assert (found["age"], found["sex"]) == ({"age": 63}, "f")
        assert set(values(folder)[name.format(3, i)]) == {"image"}
    assert {"patient", "label"}.isdisjoint(folder.modality_of)
    assert folder.groups[name.format(2, 1)] == "patient=p2"
    assert reasons(folder) == ["patients.csv: line 4 names 'p9', which is no sample"]
    for seed in range(20):
        split_of = split(folder, seed=seed)
        assert len({split_of[name.format(1, i)] for i in range(4)}) == 1


def test_folders_of_groups_are_no_labels(tree: Tree) -> None:
    files: dict[str, Contents] = {f"p{p}/{i}.png": 4 for p in (1, 2, 3) for i in range(4)}
    folder = open_folder(tree({**files, "patients.csv": "patient,age\np1,63\np2,58\np3,1\n"}))
    assert folder.modality_of == {"age": "record", "image": "image"}


def test_groups_that_another_table_names(tree: Tree) -> None:
    scenes = "scene,weather\ns1,sun\ns2,rain\n"
    views = "file_name,scene\na.png,s1\nb.png,s1\nc.png,s2\nd.png,s2\n"
    folder = open_folder(tree({**PICTURES, "scenes.csv": scenes, "views.csv": views}))
    assert values(folder)["b"] == {"image": "b.png", "weather": "sun"}
    assert folder.groups == dict.fromkeys("ab", "scene=s1") | dict.fromkeys("cd", "scene=s2")


def test_few_groups_are_told_and_may_be_divided(tree: Tree) -> None:
    files: dict[str, Contents] = {f"{i:03d}.png": 4 for i in range(300)}
    labels = "file_name,label\n" + "".join(f"{i:03d}.png,c{i % 3}\n" for i in range(300))
    folder = open_folder(
        tree({**files, "labels.csv": labels, "classes.csv": "label,text\nc0,x\nc1,y\nc2,z\n"})
    )
    assert "classes.csv: groups by label, each of which stays in one split" in folder.recognised
    split_of = split(folder)
    assert len({split_of[f"{i:03d}"] for i in range(0, 300, 3)}) == 1
    assert any("only 3 groups (" in one for one in advise(folder, split_of, 0, "auto"))
    divided = split(folder, by="sample")
    assert len({divided[f"{i:03d}"] for i in range(0, 300, 3)}) == 3


def test_many_texts_of_one_picture_take_no_time(tree: Tree) -> None:
    table = "file_name,text\n" + "".join(f"a.png,say {i}\n" for i in range(20_000))
    assert len(open_folder(tree({"a.png": 4, "metadata.csv": table})).samples) == 20_000


def test_one_table_is_a_dataset(tree: Tree) -> None:
    table = "age,sex,note\n63,f,tired\n58,m,\n"
    folder = open_folder(tree({"patients.csv": table}))
    assert values(folder) == {
        "1": {"age": {"age": 63}, "note": "tired", "sex": "f"},
        "2": {"age": {"age": 58}, "sex": "m"},
    }
    assert folder.recognised == ["patients.csv: rows are samples"]


def test_a_column_of_files_that_are_not_there_is_named(tree: Tree) -> None:
    folder = open_folder(tree({"t.csv": "image_path,text\nx/1.png,one\nx/2.png,two\n"}))
    assert values(folder) == {"1": {"text": "one"}, "2": {"text": "two"}}
    assert reasons(folder) == ["t.csv: column 'image_path' names no file of this folder"]


def test_a_table_that_names_nothing_is_left_out_by_name(tree: Tree) -> None:
    folder = open_folder(tree({**PICTURES, "prices.csv": "shop,price\nx,1\ny,2\n"}))
    assert set(folder.modality_of) == {"image"}
    assert reasons(folder) == [
        "prices.csv: has no column file_name or NAME_file_name, nor one that names samples; it has "
        "'shop', 'price'"
    ]


def test_a_broken_table_beside_files_is_left_out_by_name(tree: Tree) -> None:
    folder = open_folder(tree({**PICTURES, "odd.csv": "file_name,text\na.png\n"}))
    assert reasons(folder) == [
        "odd.csv: line 2 has 1 columns instead of 2; 1 of 1 lines have other columns than the first"
    ]


def test_columns_whose_names_are_no_names_of_streams(tree: Tree) -> None:
    folder = open_folder(tree({**PICTURES, "t.csv": "file_name,Unit Price (€)\na.png,3.5\n"}))
    assert values(folder)["a"]["Unit_Price_"] == {"Unit_Price_": 3.5}


def test_parquet(tree: Tree) -> None:
    root = tree(PICTURES)
    table = {"file_name": ["a.png", "b.png"], "text": ["one", None], "n": [1, 2], "ok": [True, False],
             "x": [0.5, float("nan")], "raw": [b"1", b"2"], "captions": [["x", "y"], ["z"]]}  # fmt: skip
    parquet.write_table(pa.table(table), root / "t.parquet")
    folder = open_folder(root)
    assert values(folder)["a"] == {
        "image": "a.png", "text": "one", "n": {"n": 1}, "ok": {"ok": True}, "x": {"x": 0.5}, "captions": "x",
    }  # fmt: skip
    assert values(folder)["b"] == {"image": "b.png", "n": {"n": 2}, "ok": {"ok": False}, "captions": "z"}
    assert reasons(folder) == ["t.parquet: column 'raw' holds bytes, which are not read"]
    (root / "t.parquet").write_bytes(b"PAR1 nothing")
    assert any("t.parquet: is not Parquet" in one for one in reasons(open_folder(root)))


def test_shards_of_a_crawl(tree: Tree) -> None:
    """Pictures, captions and facts by number, and a table of the same, as img2dataset writes them."""
    files: dict[str, Contents] = {"00000_stats.json": '{"count": 4, "status": {"success": 4}}'}
    keys = [f"{shard:05d}{i:04d}" for shard in (0, 1) for i in range(4)]
    for key in keys:
        place = f"{key[:5]}/{key}"
        files |= {
            f"{place}.png": 4,
            f"{place}.txt": f"say {key}",
            f"{place}.json": f'{{"key": "{key}", "width": 4}}',
        }
    root = tree(files)
    for shard in ("00000", "00001"):
        own = [key for key in keys if key.startswith(shard)]
        table = {
            "key": own,
            "url": [f"http://x/{key}" for key in own],
            "caption": [f"say {key}" for key in own],
        }
        parquet.write_table(pa.table(table), root / f"{shard}.parquet")
    folder = open_folder(root)
    assert folder.layout == "stems"
    found = values(folder)[f"00000/{keys[1]}"]
    assert set(found) == {"image", "text", "record", "url", "caption"}
    assert found["caption"] == f"say {keys[1]}"
    assert "label" not in folder.modality_of


def test_episodes_of_a_robot(tree: Tree) -> None:
    """Rows with vectors in many tables, as LeRobot writes them: rows are samples, vectors are named."""
    root = tree({"meta/info.json": '{"fps": 30}', "meta/tasks.jsonl": '{"task_index": 0, "task": "lift"}'})
    (root / "data").mkdir()
    for episode in range(2):
        table = {
            "observation.state": [[0.1, 0.2]] * 20,
            "timestamp": [i / 10 for i in range(20)],
            "task_index": [0] * 20,
            "episode_index": [episode] * 20,
        }
        parquet.write_table(pa.table(table), root / f"data/episode_{episode:06d}.parquet")
    folder = open_folder(root)
    assert values(folder)["data/episode_000001/03"] == {
        "episode_index": {"episode_index": 1}, "task": "lift", "timestamp": {"timestamp": 0.2},
    }  # fmt: skip
    assert any("'observation.state' holds lists, which are not read" in one for one in reasons(folder))
    assert "meta/tasks.jsonl: groups by task_index, each of which stays in one split" in folder.recognised
