"""Generated samples as a dataset, which is training data again."""

from pathlib import Path

import numpy as np
import pytest

import modaloom.api as modaloom
from modaloom.core.errors import BadFolder, BadValue
from modaloom.data.folder import open_folder
from modaloom.data.parquet_writer import CARD, TABLE
from modaloom.data.reader import Reader

pytest.importorskip("pyarrow")

CAPTION = "a small purple star at the top left"


def test_a_generated_dataset_is_trained_on(tmp_path: Path) -> None:
    """Oracle: the plain files of the same seed."""
    given, ask = {"caption": CAPTION}, {"want": "image", "n": 12, "sampling": {"steps": 1}}
    plain = [*modaloom.generate("demo", given=given, out=tmp_path / "files", **ask)]
    drawn = [*modaloom.generate("demo", given=given, out=tmp_path / "table", format="parquet", **ask)]
    assert [sample.key for sample in drawn] == [sample.key for sample in plain]
    folder = open_folder(tmp_path / "table")
    for found, sample in zip(folder.samples, plain, strict=True):
        row = Reader(folder).read(found)
        assert (row.key, row.streams["caption"]) == (sample.key, CAPTION)
        assert np.array_equal(row.streams["image"], sample.streams["image"])
    assert "--format parquet" in (tmp_path / "table" / CARD).read_text()
    settings = ["loom.width=16", "loom.num_layers=1", "loom.num_heads=2", "tokenizers.image.widths=[8]"]
    run = modaloom.train(tmp_path / "table", out=tmp_path / "run", steps=1, preset="tiny", settings=settings)
    assert isinstance(run, modaloom.TrainedRun)
    assert run.modality_of == {"caption": "text", "image": "image"}
    before = (tmp_path / "table" / TABLE).read_bytes()
    with pytest.raises(BadFolder, match="exists and is not empty"):
        [*modaloom.generate("demo", given=given, out=tmp_path / "table", format="parquet", **ask)]
    assert (tmp_path / "table" / TABLE).read_bytes() == before
    with pytest.raises(BadValue, match=r"format 'arrow'.*files, parquet"):
        [*modaloom.generate("demo", given=given, out=tmp_path / "other", format="arrow", **ask)]
