"""Parquet whose cells hold files, as Hugging Face's `Dataset.to_parquet` writes pictures and sounds."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import soundfile
from PIL import Image
from pyarrow import parquet

from modaloom.core.errors import BadFolder
from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.data.tar_writer import write_tar_shards
from modaloom.modalities import MODALITIES

FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def picture(i: int, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4 + i, 5), (40 * i, 10, 99)).save(buffer, kind)
    return buffer.getvalue()


def sound(i: int, kind: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.3 * np.sin(np.arange(8000 + i) / 9), 16_000, format=kind)
    return buffer.getvalue()


def put(path: Path, columns: dict[str, Any]) -> None:
    """Two rows in a row group."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = {name: FILE if isinstance(column[0], dict) else None for name, column in columns.items()}
    parquet.write_table(
        pa.table({name: pa.array(column, kinds[name]) for name, column in columns.items()}),
        path,
        row_group_size=2,
    )


def files(contents: list[bytes | None], names: list[str | None]) -> list[dict[str, Any]]:
    return [{"bytes": data, "path": name} for data, name in zip(contents, names)]


def test_pictures_and_sounds_in_cells_are_streams(tmp_path: Path) -> None:
    """Named or told by their content; the bytes that were put there are the oracle."""
    pictures = [picture(i) for i in range(4)] + [None]
    sounds = [sound(i, kind) for i, kind in enumerate(("WAV", "FLAC", "OGG", "MP3", "WAV"))]
    put(
        tmp_path / "t.parquet",
        {
            "image": files(pictures, ["a.png", None, "far/away/c.png", "no suffix", None]),
            "speech": files([*sounds], [None] * 5),
            "caption": [f"caption {i}" for i in range(5)],
            "label": [0, 1, 0, 1, 0],
        },
    )
    folder = open_folder(tmp_path)
    assert folder.modality_of == {
        **{"image": "image", "speech": "audio"},
        **{"caption": "text", "label": "record"},
    }
    assert [
        sample.streams.get("image") and sample.streams["image"].read_bytes() for sample in folder.samples
    ] == pictures
    for sample, data in zip(folder.samples, sounds):
        path = tmp_path / f"own{sample.streams['speech'].suffix}"
        path.write_bytes(data)
        assert Reader(folder).read(sample).streams["speech"] == MODALITIES["audio"].read(path)
    assert not folder.problems


def test_splits_are_in_the_names_and_shards_can_be_made(tmp_path: Path) -> None:
    for split in ("train", "validation", "test"):
        for part in range(2):
            columns = {"image": files([picture(i) for i in range(3)], [None] * 3), "text": ["x", "y", "z"]}
            put(tmp_path / f"hf/data/{split}-{part:05d}-of-00002.parquet", columns)
    folder = open_folder(tmp_path / "hf")
    assert folder.splits is not None
    assert sorted({*folder.splits.values()}) == ["test", "train", "val"]
    assert len(folder.samples) == 18
    write_tar_shards(folder, tmp_path / "out", samples=99, megabytes=1)
    found = open_folder(tmp_path / "out")
    assert found.splits is not None
    assert sorted(found.splits.values()) == sorted(folder.splits.values())
    read = [[np.asarray(v) for v in Reader(one).column("image")] for one in (folder, found)]
    assert sorted(value.tolist() for value in read[0]) == sorted(value.tolist() for value in read[1])


def test_what_is_no_file_is_left_out_by_name(tmp_path: Path) -> None:
    columns = {"image": files([b"?", picture(1)], [None, None]), "text": ["x", "y"]}
    put(tmp_path / "t.parquet", columns)
    folder = open_folder(tmp_path)
    assert [[*sample.streams] for sample in folder.samples] == [["text"], ["image", "text"]]
    assert [one.reason for one in folder.problems] == ["column 'image' holds 1 files of no known kind"]
    put(tmp_path / "t.parquet", {"x": files([picture(0), sound(0, "WAV")], [None, None]), "text": ["x", "y"]})
    with pytest.raises(BadFolder, match=r"stream 'x' is image in .* and audio in .*line 2"):
        open_folder(tmp_path)


def test_paths_without_bytes_name_files_or_are_told(tmp_path: Path) -> None:
    """As `Dataset.to_parquet` writes files that it does not embed."""
    column = files([None] * 3, ["a.png", "b.png", None])
    for i, name in enumerate(("a.png", "b.png")):
        (tmp_path / name).write_bytes(picture(i))
    put(tmp_path / "t.parquet", {"image": column, "caption": ["one", "two", "none"]})
    folder = open_folder(tmp_path)
    assert {s.key: s.streams["caption"] for s in folder.samples if "caption" in s.streams} == {
        "a": "one",
        "b": "two",
    }
    alone = tmp_path / "alone"
    mixed = files([picture(0), None, None], [None, "b.png", None])
    put(alone / "t.parquet", {"image": mixed, "caption": ["one", "two", "none"]})
    folder = open_folder(alone)
    assert [[*sample.streams] for sample in folder.samples] == [
        ["caption", "image"],
        ["caption"],
        ["caption"],
    ]
    assert [one.reason for one in folder.problems] == [
        "column 'image' has 1 paths without bytes, which are not read"
    ]


def test_a_table_that_changes_is_skipped_by_name(tmp_path: Path) -> None:
    put(tmp_path / "t.parquet", {"image": files([picture(0)], ["a.png"]), "text": ["x"]})
    folder = open_folder(tmp_path)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    reader = Reader(folder, max_skipped_fraction=1)
    assert reader.read(folder.samples[0]).streams == {"text": "x"}
    assert [one.path for one in reader.problems] == ["t.parquet/image/0-0/a.png"]
