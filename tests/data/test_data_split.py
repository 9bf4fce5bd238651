"""Splits: fixed, hashed, grouped."""

import re
from collections import Counter
from pathlib import Path

import pytest
from trees import Tree

from modaloom.core.errors import BadFolder, BadValue
from modaloom.core.types import Sample
from modaloom.data.folder import Folder, open_folder
from modaloom.data.split import split


def index(keys: list[str]) -> Folder:
    return Folder(Path("x"), [Sample(key, {"text": key}) for key in keys], {"text": "text"}, None, [])


KEYS = [f"{i:05d}" for i in range(4000)]


def test_folders_win() -> None:
    folder = Folder(Path("x"), [], {}, {"train/1": "train"}, [])
    assert split(folder) == {"train/1": "train"}
    with pytest.raises(BadValue, match="the folders of x fix the splits"):
        split(folder, by="folder")


def test_keys_are_shared_80_10_10() -> None:
    counts = Counter(split(index(KEYS)).values())
    assert abs(counts["train"] - 3200) < 100  # four standard deviations
    assert abs(counts["val"] - 400) < 76
    assert abs(counts["test"] - 400) < 76


def test_a_sample_stays_where_it_is_when_others_come() -> None:
    some, all_of_them = split(index(KEYS[::3])), split(index(KEYS))
    assert all(all_of_them[key] == name for key, name in some.items())


def test_the_seed_decides() -> None:
    assert split(index(KEYS), seed=1) == split(index(KEYS), seed=1) != split(index(KEYS), seed=2)


@pytest.mark.parametrize("n", range(3, 12))
def test_a_few_samples_still_fill_every_split(n: int) -> None:
    for seed in range(20):
        assert set(split(index(KEYS[:n]), seed=seed).values()) == {"train", "val", "test"}


GROUPED = [f"p{patient:03d}/scan_{i}" for patient in range(60) for i in range(5)]


@pytest.mark.parametrize("by", ["folder", r"p\d+", r"(p\d+)/scan_\d"])
def test_groups_stay_together(by: str) -> None:
    split_of = split(index(GROUPED), by=by)
    sides: dict[str, set[str]] = {}
    for key, name in split_of.items():
        sides.setdefault(key[:4], set()).add(name)
    assert all(len(names) == 1 for names in sides.values())
    assert set(split_of.values()) == {"train", "val", "test"}
    assert len({frozenset(names) for names in sides.values()}) == 3


def test_a_field_of_a_record_groups(tree: Tree) -> None:
    folder = open_folder(tree({f"{i}.json": f'{{"patient": "p{i % 7}"}}' for i in range(28)}))
    split_of = split(folder, by="record.patient")
    for i in range(28):
        assert split_of[str(i)] == split_of[str(i % 7)]
    assert len(set(split_of.values())) == 3


@pytest.mark.parametrize(
    ("by", "files"),
    [
        ("record.p", {f"{i}.json": f'{{"p": {i % 7}{(".0", "")[i % 2]}}}' for i in range(28)}),
        ("p", {f"{i}.json": f'{{"p": {i % 7}{(".0", "")[i % 2]}}}' for i in range(28)}),
        ("p", {f"{i}.p.txt": f"p{i % 7}" for i in range(28)}),
        ("p", {"t.csv": "p,n\n" + "".join(f"{i % 7}{('.0', '')[i % 2]},1\n" for i in range(28))}),
        ("p", {"t.csv": "p,n\n" + "".join(f"{(' p', 'p')[i % 2]}{i % 7},1\n" for i in range(28))}),
    ],
)
def test_a_value_is_one_group_however_it_is_written(by: str, files: dict[str, str], tree: Tree) -> None:
    if by == "p" and "0.json" in files:
        files = {name.replace(".json", ".p.json"): text for name, text in files.items()}
    folder = open_folder(tree(files))
    keys = sorted(split(folder, by=by), key=int)
    split_of = split(folder, by=by)
    assert all(split_of[key] == split_of[keys[i % 7]] for i, key in enumerate(keys))
    assert len({*split_of.values()}) == 3


def test_a_sample_without_the_field_is_named(tree: Tree) -> None:
    folder = open_folder(tree({"a.json": '{"patient": 1}', "b.json": "{}", "c.txt": "x"}))
    with pytest.raises(BadValue, match=r"sample 'b' has no record\.patient"):
        split(folder, by="record.patient")
    with pytest.raises(BadFolder, match=r"a\.json: .* needed to split by record\.patient"):
        split(open_folder(tree({"a.json": "{"})), by="record.patient")
    with pytest.raises(BadValue, match=r"has no text\.patient"):
        split(open_folder(tree({"0.txt": "x"})), by="text.patient")


@pytest.mark.parametrize(
    ("by", "reason"),
    [("(", "or a regular expression"), ("q\\d", "the expression must match every key; not 'p000/scan_0'")],
)
def test_patterns_that_do_not_fit(by: str, reason: str) -> None:
    with pytest.raises(BadValue, match=re.escape(reason)):
        split(index(GROUPED), by=by)
