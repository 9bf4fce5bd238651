"""Codes on disk: what was written comes back, and what is damaged is named."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from modaloom.core.errors import BadFile, BadFolder
from modaloom.core.types import CodeShape
from modaloom.data.shards import INDEX, Shard, shard_files, shards_model, write_shards

SHAPES = {
    "image.gray": CodeShape((4,), 3, 70_000),
    "text": CodeShape((5,), 1, 9),
    "x": CodeShape((3,), 2, 300),
}


def shard(keys, seed):
    """Two streams, one of which every second sample lacks."""
    draw, n = torch.Generator().manual_seed(seed), len(keys)
    here = torch.arange(n) % 2 == 0
    image, text = (
        torch.randint(70_000, (n, 4, 3), generator=draw),
        torch.randint(9, (n, 5, 1), generator=draw),
    )
    text[~here] = 0
    everyone = torch.ones(n, dtype=torch.bool)
    return Shard(keys, {"image.gray": image, "text": text}, {"image.gray": everyone, "text": here})


@pytest.fixture
def folder(tmp_path):
    written = [shard(["a", "ä/b", "c"], 0), shard(["d", "e"], 1)]
    assert write_shards(tmp_path, iter(written), shapes=SHAPES, model="1f" * 32) == 5
    return tmp_path, written


def test_shards_come_back(folder):
    path, written = folder
    found = [file.read() for file in shard_files(path)]
    assert [s.keys for s in found] == [s.keys for s in written]
    for ours, theirs in zip(written, found, strict=True):
        for before, after in ((ours.codes, theirs.codes), (ours.present, theirs.present)):
            assert set(before) == set(after)
            assert all(torch.equal(before[name], after[name]) for name in before)
            assert all(before[name].dtype == after[name].dtype for name in before)
    assert shards_model(path) == "1f" * 32


def test_rows_that_are_not_contiguous_are_written_too(tmp_path):
    codes = torch.arange(24).reshape(2, 3, 4).permute(2, 1, 0)
    every_other = torch.tensor([True, False] * 4)[::2]
    write_shards(
        tmp_path, iter([Shard([*"abcd"], {"x": codes}, {"x": every_other})]), shapes=SHAPES, model="m"
    )
    (found,) = (file.read() for file in shard_files(tmp_path))
    assert torch.equal(found.codes["x"], codes)
    assert torch.equal(found.present["x"], every_other)


def test_lengths_come_back(tmp_path):
    """Of the streams that have some."""
    everyone = torch.ones(2, dtype=torch.bool)
    shape = CodeShape((3,), 1, 300, variable=True)
    codes = {"a": torch.full((2, 7, 1), 300), "b": torch.zeros(2, 3, 1, dtype=torch.int64)}
    written = Shard(
        ["k", "l"], codes, {"a": everyone, "b": everyone.clone()}, {"a": torch.tensor([2**40, 1])}
    )
    write_shards(tmp_path, iter([written]), shapes={"a": shape, "b": shape}, model="m")
    (found,) = (file.read() for file in shard_files(tmp_path))
    assert {name: length.tolist() for name, length in found.length.items()} == {"a": [2**40, 1]}
    assert torch.equal(found.codes["a"].long(), codes["a"])


def test_no_shards_are_a_dataset_of_nothing(tmp_path):
    assert write_shards(tmp_path, iter(()), shapes={}, model="m") == 0
    assert [file.read() for file in shard_files(tmp_path)] == []


def test_a_damaged_shard_is_named_and_those_before_it_are_read(folder):
    path, _ = folder
    last = path / "codes-00001.safetensors"
    for damage in (b"", b"no shard", last.read_bytes()[:-5]):
        last.write_bytes(damage)
        reading = (file.read() for file in shard_files(path))
        assert next(reading).keys == ["a", "ä/b", "c"]
        with pytest.raises(BadFile, match="codes-00001"):
            next(reading)


def test_a_missing_shard_is_named(folder):
    path, _ = folder
    (path / "codes-00000.safetensors").unlink()
    with pytest.raises(BadFile, match="codes-00000"):
        [file.read() for file in shard_files(path)]


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"codes.x": torch.zeros(3, 2, 1)},
        {"present.x": torch.ones(3, dtype=torch.bool)},
        {"codes.x": torch.zeros(2, 2, 1), "present.x": torch.ones(3, dtype=torch.bool)},
        {"codes.x": torch.zeros(3, 2, 1), "present.x": torch.ones(2, dtype=torch.bool)},
        *(
            {"codes.x": torch.zeros(3, 2, 1), "present.x": torch.ones(3, dtype=torch.bool), name: length}
            for name, length in (("length.x", torch.zeros(2)), ("length.y", torch.zeros(3)))
        ),
    ],
)
def test_a_shard_that_does_not_fit_its_keys_is_named(folder, damage):
    path, _ = folder
    save_file(damage, path / "codes-00000.safetensors")
    with pytest.raises(BadFile, match="codes-00000"):
        shard_files(path)[0].read()


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{}", "null", '{"version": 1}', '{"version": 1, "shards": [{"file": "x"}]}']
)
def test_a_folder_without_a_good_index_holds_no_codes(tmp_path, text):
    if text is not None:
        (tmp_path / INDEX).write_text(text)
    for read in (shards_model, lambda folder: [file.read() for file in shard_files(folder)]):
        with pytest.raises(BadFolder, match="modaloom tokenize"):
            read(tmp_path)


def test_another_version_is_refused(folder):
    path, _ = folder
    index = json.loads((path / INDEX).read_text(encoding="utf-8"))
    (path / INDEX).write_text(json.dumps({**index, "version": 2}))
    with pytest.raises(BadFolder):
        [file.read() for file in shard_files(path)]


def test_the_index_cannot_name_files_elsewhere(folder):
    path, _ = folder
    inside = path / "inner"
    inside.mkdir()
    index = json.loads((path / INDEX).read_text(encoding="utf-8"))
    for entry in index["shards"]:
        entry["file"] = f"../{entry['file']}"
    (inside / INDEX).write_text(json.dumps(index))
    with pytest.raises(BadFile):
        [file.read() for file in shard_files(inside)]


def test_codes_take_no_more_bytes_than_their_codebook_needs(tmp_path):
    everyone = torch.ones(2, dtype=torch.bool)
    sizes = {
        "a": (256, torch.uint8),
        "b": (257, torch.uint16),
        "c": (65_536, torch.uint16),
        "d": (65_537, torch.int32),
    }
    shapes = {name: CodeShape((2,), 1, size) for name, (size, _) in sizes.items()}
    codes = {
        name: torch.tensor([0, size - 1]).reshape(1, 2, 1).expand(2, -1, -1)
        for name, (size, _) in sizes.items()
    }
    write_shards(
        tmp_path,
        iter([Shard([*"kl"], codes, {name: everyone.clone() for name in codes})]),
        shapes=shapes,
        model="m",
    )
    stored = load_file(tmp_path / "codes-00000.safetensors")
    assert {name: stored[f"codes.{name}"].dtype for name in sizes} == {
        name: kind for name, (_, kind) in sizes.items()
    }
    (found,) = (file.read() for file in shard_files(tmp_path))
    assert all(torch.equal(found.codes[name], codes[name]) for name in sizes)


def test_shards_of_other_types_are_read(folder):
    """Such as those of version 0.1, which has int32 for all."""
    path, (written, _) = folder
    tensors = {f"codes.{name}": codes.int() for name, codes in written.codes.items()}
    save_file(
        tensors | {f"present.{n}": here for n, here in written.present.items()},
        path / "codes-00000.safetensors",
    )
    found = shard_files(path)[0].read()
    assert all(torch.equal(found.codes[name], written.codes[name]) for name in written.codes)
