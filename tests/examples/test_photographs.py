"""The photographs: a folder as a user would have it, on which five faults are learned and undone."""

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modaloom import api
from modaloom.data.folder import open_folder

pytest.importorskip("skimage", reason="needs scikit-image: pip install 'modaloom[photographs]'")
EXAMPLE = Path(__file__).parents[2] / "examples" / "photographs.py"
TINY = (
    "restorer.local.width=8",
    "restorer.local.num_res_blocks=1",
    "restorer.crop_sizes=[16]",
    "training.restorer.batch_size=4",
)


@pytest.fixture(scope="module")
def write() -> Callable[[Path], None]:
    found: Callable[[Path], None] = runpy.run_path(str(EXAMPLE))["write_photographs"]
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write: Callable[[Path], None]) -> Path:
    folder = tmp_path_factory.mktemp("photographs") / "photographs"
    write(folder)
    return folder


def test_they_are_coloured_and_none_is_in_two_splits(folder: Path) -> None:
    splits = {split.name: {path.stem for path in split.iterdir()} for split in folder.iterdir()}
    assert {split: len(stems) for split, stems in splits.items()} == {"train": 7, "val": 1, "test": 2}
    assert len(set.union(*splits.values())) == 10
    assert {"motorcycle_left", "motorcycle_right"} <= splits["train"]
    for path in folder.glob("*/*"):
        with Image.open(path) as image:
            assert min(image.size) >= 240
            assert np.ptp(np.asarray(image.convert("RGB")).astype(int), axis=-1).max() > 50, path
    assert len(open_folder(folder).samples) == 10


def test_a_few_steps_end_in_a_run_that_is_judged_and_restores(folder: Path, tmp_path: Path) -> None:
    run = api.train(folder, out=tmp_path / "run", task="restore", steps=3, settings=TINY, samples=1)
    rows = {row.row: row for row in api.evaluate(run, folder, n=1) if row.metric == "psnr"}
    assert rows.keys() == {f"restore:{f}" for f in ("superres", "colorize", "inpaint", "denoise", "jpeg")}
    assert all(10 < row.value < 50 for row in rows.values())
    small = Image.open(folder / "test" / "coffee.png").resize((30, 20))
    assert run.restore(small).size == (60, 40)
