"""What `inspect` finds and advises."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from trees import Contents, Tree

from modaloom.core.errors import BadFolder
from modaloom.data.folder import open_folder
from modaloom.data.inspect import Inspection
from modaloom.data.inspect import inspect as inspect_folder
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import no_facts


def inspect(path: Path, limit: int | None = None) -> Inspection:
    return inspect_folder(open_folder(path), limit=limit)


def test_streams_counts_ranges_and_what_is_broken(tree: Tree) -> None:
    root = tree(
        {
            **{f"{i}.png": 4 + i for i in range(4)},
            **{f"{i}.txt": "x" * (i + 1) for i in range(3)},
            "0.json": '{"age": 3}',
            "4.png": b"\x89PNG",
            "5.png": b"",
            "song.xyz": "x",
        }
    )
    found = inspect(root)
    assert (found.samples, found.read, found.fixed) == (6, 6, False)
    image, text = found.streams["image"], found.streams["text"]
    assert (image.modality, image.count, image.broken, image.missing) == ("image", 4, 2, 0.3333)
    assert image.facts == {"smallest": "4×4", "largest": "7×7", "sizes": 4, "colour": True}
    assert (text.count, text.broken, text.missing) == (3, 0, 0.5)
    assert text.facts == {"shortest": 1, "median": 2, "longest": 3, "distinct": 3}
    assert found.streams["record"].facts == {"columns": {"age": 1}}
    assert [one.path for one in found.problems] == ["song.xyz", "4.png", "5.png"]
    assert sum(found.splits.values()) == 6
    assert json.loads(json.dumps(found.to_dict()))["streams"]["image"]["count"] == 4


def test_a_limit_reads_fewer(tree: Tree) -> None:
    found = inspect(tree({f"{i}.txt": "x" for i in range(9)}), limit=4)
    assert (found.samples, found.read, found.streams["text"].count) == (9, 4, 4)


def test_a_stream_that_is_broken_throughout(tree: Tree) -> None:
    found = inspect(tree({"1.txt": "x", "1.png": b"", "2.png": b""}))
    assert (found.streams["image"].count, found.streams["image"].missing) == (0, 1)
    assert found.streams["image"].facts == {}


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(BadFolder):
        inspect(tmp_path / "nowhere")


def test_nothing_is_changed(tree: Tree) -> None:
    root = tree({"1.txt": "x", "1.png": 4})
    before = {path: path.stat().st_mtime_ns for path in [root, *root.iterdir()]}
    inspect(root)
    assert {path: path.stat().st_mtime_ns for path in [root, *root.iterdir()]} == before


PLAIN: Mapping[str, Contents] = {f"{split}/{i}.txt": "x" for split in ("train", "val") for i in range(250)}


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ({**PLAIN, "train/x.xyz": "x"}, "1 files or folders are left out"),
        ({f"train/{i}.txt": "x" for i in range(250)}, "There is no val folder"),
        ({f"{i}.txt": "x" for i in range(9)}, "training samples are few"),
        (
            {f"p{p}_{i}.txt": "x" for p in range(30) for i in range(9)},
            "Stems share a prefix across splits .* use --split-by",
        ),
        (
            {f"{split}/p{p}_{split}.txt": "x" for split in ("train", "val") for p in range(250)},
            "250 prefixes, .* move each into one split folder",
        ),
        (
            {
                **{f"{name}/{i}.{end}": "x" for name, end in (("a", "txt"), ("b", "json")) for i in range(9)},
                **{f"a/x{i}.txt": "x" for i in range(99)},
                **{f"b/y{i}.json": "{}" for i in range(99)},
                "b/y0.txt": "x",
            },
            "9 stems occur in several folders .* put them into one folder",
        ),
        ({**PLAIN, "train/dr.smith.txt": "x"}, "Fewer than 1% .* streams smith"),
    ],
)
def test_advice(files: dict[str, Contents], advice: str, tree: Tree) -> None:
    assert any(re.search(advice, one) for one in inspect(tree(files)).advice)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("IMG_{}.txt", "img_{}.json"), "9 names differ only in upper and lower case .*'IMG_0' and 'img_0'"),
        (("a{}.txt", "b{}.json"), "have the same name up to the first dot"),
        (("images/a{}.png", "captions/b{}.txt"), r"images/0001\.png captions/0001\.txt"),
    ],
)
def test_folders_where_nothing_belongs_together_are_refused(
    names: tuple[str, ...], why: str, tree: Tree
) -> None:
    with pytest.raises(BadFolder, match=f"no training sample has two of the streams.*{why}"):
        inspect(tree({name.format(i): "x" for name in names for i in range(9)}))


def test_sound_folders_need_no_advice_but_the_next_command(tree: Tree) -> None:
    root = tree(PLAIN)
    assert inspect(root).advice == [f"Train with: modaloom train {root} --out runs/mine"]


def test_one_camera_is_no_leak(tree: Tree) -> None:
    advice = inspect(tree({f"IMG_{i}.txt": "x" for i in range(400)})).advice
    assert len(advice) == 1


def test_modalities_that_describe_nothing_are_read_all_the_same(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODALITIES, "text", replace(MODALITIES["text"], describe=no_facts))
    found = inspect(tree({"1.txt": "x", "2.txt": b"\xff"}))
    assert (found.streams["text"].count, found.streams["text"].broken) == (1, 1)
    assert found.streams["text"].facts == {}
