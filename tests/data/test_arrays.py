"""Archives of arrays are datasets of their rows."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modaloom.data.copies import digest
from modaloom.data.folder import open_folder
from modaloom.data.inspect import inspect
from modaloom.data.reader import Reader

RANDOM = np.random.default_rng(0)


def write(
    path: Path, channels: tuple[int, ...] = (3,), labels: int = 1, kind: type = np.uint8
) -> dict[str, np.ndarray]:
    """As the benchmarks of MedMNIST lie: pictures and labels of three splits in one file."""
    arrays = {}
    for split, n in (("train", 12), ("val", 4), ("test", 4)):
        arrays[f"{split}_images"] = RANDOM.integers(0, 200, (n, 8, 9, *channels)).astype(kind)
        arrays[f"{split}_labels"] = RANDOM.integers(0, 3, (n, labels))
    np.savez(path, **arrays)
    return arrays


@pytest.mark.parametrize("channels", [(3,), (1,), ()])
def test_pictures_and_labels_of_three_splits(channels: tuple[int, ...], tmp_path: Path) -> None:
    arrays = write(tmp_path / "pathmnist.npz", channels)
    folder = open_folder(tmp_path)
    assert folder.modality_of == {"image": "image", "label": "record"}
    counts = Counter((folder.splits or {}).values())
    assert counts == {
        "train": 12, "val": 4, "test": 4,
    }  # fmt: skip
    sample = Reader(folder).read(next(one for one in folder.samples if one.key == "train/07"))
    pixels = np.asarray(sample.streams["image"])
    assert np.array_equal(pixels, np.broadcast_to(arrays["train_images"][7].reshape(8, 9, -1), (8, 9, 3)))
    assert sample.streams["label"] == {"label": int(arrays["train_labels"][7, 0])}
    assert folder.recognised[-1] == "pathmnist.npz: rows of arrays are samples"


def test_true_values_and_several_labels(tmp_path: Path) -> None:
    arrays = write(tmp_path / "a.npz", (2,), labels=3, kind=np.uint16)
    folder = open_folder(tmp_path)
    assert folder.modality_of == {"image": "raster", "label": "record"}
    sample = Reader(folder).read(next(one for one in folder.samples if one.key == "train/07"))
    assert np.array_equal(sample.streams["image"], arrays["train_images"][7])
    assert sample.streams["label"] == {
        f"label_{i}": int(one) for i, one in enumerate(arrays["train_labels"][7])
    }


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz",
        images=np.zeros((5, 8, 8), np.uint8),
        other=np.zeros((4, 8, 8), np.uint8),
        wide=np.zeros((5, 100)),
        scalar=np.float32(3),
        text=np.array(["a", "b", "c", "d", "e"]),
    )
    folder = open_folder(tmp_path)
    assert folder.modality_of == {"image": "image", "text": "text"}
    assert [one.reason.split(",")[0] for one in folder.problems] == [
        "array 'other' has shape [4", "array 'wide' of shape [5", "array 'scalar' has shape []",
    ]  # fmt: skip


def test_an_archive_that_is_broken_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.npz")
    data = (tmp_path / "a.npz").read_bytes()
    place = data.index(b"train_labels") + 60
    (tmp_path / "a.npz").write_bytes(data[:place] + b"\0" * 40 + data[place + 40 :])
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png")
    folder = open_folder(tmp_path)
    assert [sample.key for sample in folder.samples] == ["1"]
    assert any("cannot be read" in one.reason for one in folder.problems)


def test_rows_are_inspected_and_told_apart(tmp_path: Path) -> None:
    write(tmp_path / "a.npz")
    folder = open_folder(tmp_path)
    found = inspect(folder)
    assert found.streams["image"].count == 20
    assert found.streams["image"].example.startswith("test/0: ")
    sources = [sample.streams["image"] for sample in folder.samples]
    assert len({digest(source) for source in sources}) == len(sources)


def test_rows_that_are_not_finite_are_named(tmp_path: Path) -> None:
    rows = np.array([[1, np.inf], [np.nan, 2], [3, 4]])
    np.savez(tmp_path / "a.npz", x=rows, y=np.array(["a", "b", "c"]))
    folder = open_folder(tmp_path)
    assert [one.streams["x"] for one in folder.samples] == [{"x_0": 1}, {"x_1": 2}, {"x_0": 3, "x_1": 4}]
    assert [one.reason for one in folder.problems] == ["x, row 0: 'x_1' is 'Infinity', no finite number"]
    assert "a.npz: counts as missing: NaN in 1 of 'x_0'" in folder.recognised
