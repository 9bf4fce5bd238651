"""Samples as a dataset of Hugging Face. Oracles: the library datasets, and what modaloom itself reads."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from modaloom.core.errors import BadValue
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.data.outputs import OUTPUTS
from modaloom.data.parquet_writer import CARD, TABLE, ParquetWriter
from modaloom.data.reader import Reader
from modaloom.data.writer import PROVENANCE
from modaloom.modalities.audio_value import Audio

datasets = pytest.importorskip("datasets")

KINDS = {"image": "image", "speech": "audio", "caption": "text", "facts": "record", "gene": "sequence"}
WRITTEN = {**KINDS, "note": "record", "key": "text"}


def samples() -> Iterator[Sample]:
    """The third one lacks streams."""
    random = np.random.default_rng(0)
    for i in range(3):
        pixels = random.integers(0, 256, (4, 5 + i, 3)).astype(np.uint8)
        wave = (random.integers(-9999, 9999, (1, 800)) / 2**15).astype(np.float32)
        streams = {
            **{"image": Image.fromarray(pixels), "caption": f"{i}: ä, “b”", "gene": "ACGT" * (i + 1)},
            **{"facts": {"size": i + 0.5, "kind": "a"}, "speech": Audio(wave, 8000)},
        }
        yield Sample(f"{i:04d}", {n: v for n, v in streams.items() if i < 2 or n in ("image", "gene")})


def write(root: Path, *extra: Sample) -> Path:
    root.mkdir()
    with OUTPUTS["parquet"].writing(root, WRITTEN, "Three samples.") as writer:
        for sample in (*samples(), *extra):
            writer.write(sample, {"seed": 3})
    return root


def test_datasets_reads_what_was_written(tmp_path: Path) -> None:
    root = write(tmp_path / "out")
    assert {path.name for path in root.iterdir()} == {TABLE, CARD, PROVENANCE}
    found = datasets.load_dataset(str(root), cache_dir=str(tmp_path / "cache"))["train"]
    plain, file = (datasets.Value(kind) for kind in ("string", "float64")), datasets.Value("binary")
    text, number = plain
    assert found.features == {
        **{"key": text, "image": datasets.Image(), "speech": datasets.Audio(), "caption": text},
        **{"facts": {"size": number, "kind": text}, "gene": {"bytes": file, "path": text}},
    }
    whole = found.cast_column("speech", datasets.Audio(decode=False))
    for row, sample in zip(whole, samples(), strict=True):
        assert row["key"] == sample.key
        assert np.array_equal(row["image"], sample.streams["image"])
        assert row["caption"] == sample.streams.get("caption")
        assert row["facts"] == sample.streams.get("facts")
        sound = row["speech"]
        assert (sound and sound["path"]) == (
            f"{sample.key}.speech.wav" if "speech" in sample.streams else None
        )
    card = yaml.safe_load((root / CARD).read_text().split("---")[1])
    assert card["dataset_info"]["features"] == found.features._to_yaml_list()
    alone = datasets.load_dataset("parquet", data_files=str(root / TABLE), cache_dir=str(tmp_path / "cache"))
    assert alone["train"].features == found.features


def test_modaloom_reads_what_was_written(tmp_path: Path) -> None:
    folder = open_folder(write(tmp_path / "out"))
    assert folder.modality_of == KINDS
    assert not folder.problems
    reader = Reader(folder)
    for found, sample in zip(folder.samples, samples(), strict=True):
        values = reader.read(found).streams
        assert found.key == sample.key
        assert values.keys() == sample.streams.keys()
        for name in values.keys() - {"image"}:
            assert values[name] == sample.streams[name]
        assert np.array_equal(values["image"], sample.streams["image"])
    lines = (tmp_path / "out" / PROVENANCE).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"key": s.key, "seed": 3} for s in samples()]


def test_two_datasets_beside_each_other_are_one(tmp_path: Path) -> None:
    """Both begin to count at 0000."""
    (tmp_path / "all").mkdir()
    for name in ("a", "b"):
        write(tmp_path / "all" / name)
    keys = [sample.key for sample in open_folder(tmp_path / "all").samples]
    assert keys == [f"{name}/{TABLE[:-8]}/{i:04d}" for name in "ab" for i in range(3)]


def test_row_groups_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import parquet

    monkeypatch.setattr("modaloom.data.parquet_writer.GROUP_BYTES", 1)
    assert parquet.ParquetFile(write(tmp_path / "out") / TABLE).num_row_groups == 3


def stopped(root: Path, n: int) -> None:
    root.mkdir()
    with OUTPUTS["parquet"].writing(root, KINDS, "Stopped.") as writer:
        for sample, _ in zip(samples(), range(n)):
            writer.write(sample)
        raise KeyboardInterrupt


def test_what_is_stopped_is_whole_and_nothing_is_nothing(tmp_path: Path) -> None:
    for n in (0, 2):
        with pytest.raises(KeyboardInterrupt):
            stopped(tmp_path / str(n), n)
    assert not any(path.is_file() for path in (tmp_path / "0").rglob("*"))
    assert {path.name for path in (tmp_path / "2").iterdir()} == {TABLE, CARD}
    assert [sample.key for sample in open_folder(tmp_path / "2").samples] == ["0000", "0001"]


def test_values_of_several_types_are_texts_and_none_is_no_column(tmp_path: Path) -> None:
    """What took hours to draw is not lost at its end."""
    odd = {"facts": {"size": "large", "at": True}, "note": {}}
    root = write(tmp_path / "out", Sample("9", odd), Sample("8", {"facts": {"at": 1}}))
    found = datasets.load_dataset(str(root), cache_dir=str(tmp_path / "cache"))["train"]
    assert "note" not in found.features
    assert [row and row["size"] for row in found["facts"]] == ["0.5", "1.5", None, "large", None]
    assert [row and row["at"] for row in found["facts"]][3:] == ["true", "1"]


def test_a_table_that_is_stopped_leaves_plain_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("modaloom.data.parquet_writer._card", stop)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out")
    assert open_folder(tmp_path / "out").modality_of == KINDS
    assert not {TABLE, CARD, ".files"} & {path.name for path in (tmp_path / "out").iterdir()}
    assert len([*(tmp_path / "out").glob("0000.*")]) == 5


def test_a_stream_that_is_called_as_the_keys_are(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="key is a stream, and the column"):
        write(tmp_path / "out", Sample("9", {"key": "a word"}))


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(BadValue, match=r"pip install 'modaloom\[tables\]'"):
        ParquetWriter(tmp_path, KINDS)
