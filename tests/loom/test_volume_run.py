"""A run on volumes of 12 bits: learned, drawn, scored, restored, and written where the scans are."""

from pathlib import Path

import numpy as np
import pytest

import modaloom.api as modaloom
from modaloom.core.errors import BadValue
from modaloom.loom.config import LoomRunConfig
from modaloom.modalities.volume import VOLUME
from modaloom.modalities.volume_value import Volume
from modaloom.restorer.config import RestorerRunConfig
from modaloom.runs.config_io import override

nibabel = pytest.importorskip("nibabel")
AFFINE = np.array([[1.5, 0, 0, -12], [0, 1.5, 0, -10], [0, 0, 3, 40], [0, 0, 0, 1]])
SHAPE = (8, 16, 16)
SMALL = (
    *("tokenizers.volume.codebook_size=16", "tokenizers.volume.num_quantizers=1"),
    *("tokenizers.volume.widths=[8,8,8]", "tokenizers.volume.latent_dim=8", "training.precision=fp32"),
    *("loom.width=32", "loom.num_layers=1", "loom.num_heads=2"),
    *("training.tokenizer.batch_size=8", "training.loom.batch_size=8"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bright ball in the upper or lower half, and the word for it."""
    root, rng = tmp_path_factory.mktemp("volumes") / "data", np.random.default_rng(0)
    root.mkdir()
    z, y, x = np.indices(SHAPE)
    for i in range(30):
        at = [2 if i % 2 else 5, *rng.uniform(5, 10, 2)]
        ball = np.exp(-((2 * (z - at[0])) ** 2 + (y - at[1]) ** 2 + (x - at[2]) ** 2) / 18)
        values = np.round(900 + 2000 * ball + rng.normal(0, 10, SHAPE)).astype(np.uint16)
        VOLUME.write(Volume(values, AFFINE), root / f"{i:02d}.scan.nii.gz")
        (root / f"{i:02d}.txt").write_text("low\n" if i % 2 else "high\n")
    return root


def test_volumes_are_learned_drawn_and_scored(folder: Path, tmp_path: Path) -> None:
    run = modaloom.train(
        folder,
        out=tmp_path / "run",
        steps={"volume": 60, "loom": 60},
        config=override(LoomRunConfig(), SMALL),
    )
    [*modaloom.generate(run, given={"text": "low"}, want=["scan"], out=tmp_path / "drawn", n=2)]
    files = sorted((tmp_path / "drawn").glob("*.scan.nii.gz"))
    assert len(files) == 2
    for file in files:
        image = nibabel.load(file)
        assert (image.get_data_dtype(), image.shape) == (np.uint16, SHAPE[::-1])
        np.testing.assert_allclose(image.affine, AFFINE, atol=1e-4)
        assert 850 < image.get_fdata().min() < image.get_fdata().max() < 3000
    given = {"scan": folder / "01.scan.nii.gz"}
    assert run.generate(given=given, want=["text"], n=1, seed=0)[0]["text"] in ("low", "high")
    rows = {(row.row, row.metric) for row in modaloom.evaluate(run, folder)}
    assert {("text->scan", "psnr"), ("scan->text", "exact")} <= rows
    assert "slice of a volume" in (tmp_path / "run" / "report.html").read_text()


def test_volumes_are_denoised(folder: Path, tmp_path: Path) -> None:
    """Below the noise that was added. Oracle: the volume before it."""
    small = ["restorer.local.width=8", "restorer.local.num_res_blocks=1", "restorer.crop_sizes=[16]"]
    config = override(RestorerRunConfig(), [*small, 'data.streams=["scan"]', "training.precision=fp32"])
    run = modaloom.train(folder, out=tmp_path / "run", task="denoise", steps=20, config=config)
    clean = VOLUME.read(folder / "00.scan.nii.gz")
    noise = np.random.default_rng(1).normal(0, 200, clean.values.shape)
    noisy = Volume(np.round(clean.values + noise).clip(0, 65535).astype(np.uint16), clean.affine)
    VOLUME.write(noisy, tmp_path / "noisy.nii.gz")
    (file,) = modaloom.restore(run.path, [tmp_path / "noisy.nii.gz"], out=tmp_path / "restored")
    assert file.name == "noisy.nii.gz"
    found = VOLUME.read(file)
    np.testing.assert_allclose(found.affine, AFFINE, atol=1e-4)
    assert found.values.dtype == np.uint16
    error, before = ((one.values.astype(float) - clean.values).std() for one in (found, noisy))
    assert error < 0.6 * before


def test_what_is_of_colours_is_no_task_of_volumes(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="jpeg is no task of volume; choose from superres, inpaint, denoise"):
        modaloom.train(folder, out=tmp_path / "run", task="jpeg", steps=1)
