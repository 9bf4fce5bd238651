"""Memory-mapped caches: whole or not there, rebuilt when the data change."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trees import Tree

from modaloom.core.errors import BadFolder, WorkFailed
from modaloom.data.cache import fingerprint, open_cache
from modaloom.data.folder import open_folder

FP, OTHER = "0" * 16, "f" * 16
ROWS = [None, np.array([1, 2], np.int16), None, np.array([3, 4], np.int16), None]


def rows() -> Iterator[Any]:
    yield from ROWS


def never() -> Iterator[Any]:
    raise AssertionError("was rebuilt")


def test_rows_and_the_mask_of_who_is_present(tmp_path: Path) -> None:
    made = open_cache(tmp_path / "new", "image.gray", FP, 5, rows)
    assert made.array.tolist() == [[0, 0], [1, 2], [0, 0], [3, 4], [0, 0]]
    assert made.array.dtype == np.int16
    assert made.present.tolist() == [False, True, False, True, False]
    assert isinstance(made.array, np.memmap)
    assert not made.array.flags.writeable


def test_it_is_made_once(tmp_path: Path) -> None:
    open_cache(tmp_path, "a", FP, 5, rows)
    assert open_cache(tmp_path, "a", FP, 5, never).array[3, 1] == 4


def test_another_fingerprint_replaces_it_and_leaves_other_streams(tmp_path: Path) -> None:
    open_cache(tmp_path, "a-x", FP, 5, rows)
    open_cache(tmp_path, "a", FP, 5, rows)
    open_cache(tmp_path, "a", OTHER, 5, rows)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"a-x-{FP}.npy", f"a-x-{FP}.present.npy", f"a-{OTHER}.npy", f"a-{OTHER}.present.npy",
    }  # fmt: skip


@pytest.mark.parametrize("part", ["", ".present"])
@pytest.mark.parametrize("size", [0, 5, 70, 130])
def test_truncated_files_are_made_again(part: str, size: int, tmp_path: Path) -> None:
    open_cache(tmp_path, "a", FP, 5, rows)
    path = tmp_path / f"a-{FP}{part}.npy"
    path.write_bytes(path.read_bytes()[:size])
    assert open_cache(tmp_path, "a", FP, 5, rows).array[3, 1] == 4


def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> Iterator[Any]:
        yield ROWS[1]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_cache(tmp_path, "a", FP, 5, interrupted)
    assert list(tmp_path.iterdir()) == []


def test_the_array_appears_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda new, to: order.append(Path(to).name) or replace(new, to))
    open_cache(tmp_path, "a", FP, 5, rows)
    assert order == [f"a-{FP}.present.npy", f"a-{FP}.npy"]


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WorkFailed, match=r"a-0+\.present\.npy could not be written \(No space left"):
        open_cache(tmp_path, "a", FP, 5, rows)
    assert list(tmp_path.iterdir()) == []


def test_nothing_present_is_the_folders_fault(tmp_path: Path) -> None:
    with pytest.raises(BadFolder, match="inspect"):
        open_cache(tmp_path, "a", FP, 2, lambda: [None, None])


def test_the_number_of_rows_must_agree(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zip"):
        open_cache(tmp_path, "a", FP, 6, rows)
    assert list(tmp_path.iterdir()) == []


def test_the_fingerprint_follows_files_literals_and_facts(tree: Tree) -> None:
    files = {"metadata.csv": "file_name,word\na.txt,red\n", "a.txt": "1", "b.txt": "2", "b.png": 4}
    samples = open_folder(tree(files)).samples
    base = fingerprint(samples, "text", {"side": 8})
    assert base == fingerprint(samples, "text", {"side": 8})
    others = {base, fingerprint(samples, "word", {"side": 8}), fingerprint(samples, "text", {"side": 9})}
    path = samples[0].streams["text"]
    os.utime(path, ns=(0, 5))
    others.add(fingerprint(samples, "text", {"side": 8}))
    path.write_text("longer")
    os.utime(path, ns=(0, 5))
    others.add(fingerprint(samples, "text", {"side": 8}))
    path.unlink()
    others.add(fingerprint(samples, "text", {"side": 8}))
    others.add(fingerprint(samples[1:], "text", {"side": 8}))
    assert len(others) == 7
    before = fingerprint(samples, "image")
    samples[1].streams["text"].write_text("changed")
    assert fingerprint(samples, "image") == before
