"""A run on scans of 12 bits with an own range: learned, drawn, scored and written with their true values."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray

import modaloom
from modaloom.core.rng import generator
from modaloom.data.folder import open_folder
from modaloom.metrics.psnr import mse, psnr
from modaloom.modalities.raster import RASTER
from modaloom.tokenizers.vqvae import VQVAEConfig, VQVAETokenizer

LOW, HIGH = 900, 1900
STEPS = 60
SMALL = [
    "loom.width=32",
    "loom.num_layers=1",
    "loom.num_heads=2",
    "loom.sampling.steps=4",
    "tokenizers.raster.widths=[16,32]",
]


def scans(n: int) -> list[NDArray[np.uint16]]:
    """Blobs at random places, 12 bits of which a quarter is used."""
    random, axis = np.random.default_rng(0), np.linspace(-1, 1, 16)
    found = []
    for y, x in random.uniform(-0.6, 0.6, (n, 2)):
        blob = np.exp(-8 * ((axis[:, None] - y) ** 2 + (axis[None] - x) ** 2))
        found.append(np.round(LOW + (HIGH - LOW) * blob).astype(np.uint16))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scans") / "data"
    root.mkdir()
    for i, scan in enumerate(scans(60)):
        tifffile.imwrite(root / f"{i:02d}.scan.tif", scan)
        (root / f"{i:02d}.txt").write_text("left" if scan[:, :8].sum() > scan[:, 8:].sum() else "right")
    return root


def rebuilt_psnr(values: list[NDArray[np.generic]]) -> float:
    """PSNR within the true range of a VQ-VAE that is trained on values, on the values themselves."""
    rasters = [RASTER.coerce(value) for value in values]
    torch.manual_seed(0)
    spec = RASTER.infer_spec(rasters, RASTER.limits)
    tokenizer = VQVAETokenizer(RASTER, spec, VQVAEConfig(widths=(16, 32)))
    batch = torch.stack([torch.from_numpy(tokenizer.prepare(value)) for value in rasters])
    optimizer = torch.optim.Adam(tokenizer.parameters(), 3e-3)
    for step in range(STEPS):
        optimizer.zero_grad()
        tokenizer.loss(batch, generator(0, step)).total.backward()
        optimizer.step()
    again = tokenizer.eval().decode(tokenizer.encode(rasters))
    errors = [
        mse(a.astype(float) / (HIGH - LOW), b.astype(float) / (HIGH - LOW)) for a, b in zip(again, rasters)
    ]
    return psnr(float(np.mean(errors)))


def test_whole_numbers_are_learned_as_well_as_the_same_in_floats() -> None:
    values = scans(16)
    assert rebuilt_psnr([*values]) == pytest.approx(
        rebuilt_psnr([v.astype(np.float32) for v in values]), abs=0.1
    )


def test_a_whole_run(folder: Path, tmp_path: Path) -> None:
    assert open_folder(folder).modality_of == {"scan": "raster", "text": "text"}
    run = modaloom.train(folder, out=tmp_path / "run", steps=6, settings=SMALL, device="cpu")
    spec = run.model.specs["scan"]
    assert (spec["type"], spec["channels"]) == ("uint16", 1)
    assert spec["low"][0] == pytest.approx(LOW, abs=20)
    assert spec["high"][0] == pytest.approx(HIGH, abs=20)
    (drawn,) = run.generate(given={"text": "left"}, want="scan", n=1)
    assert (drawn["scan"].dtype, drawn["scan"].shape) == (np.uint16, (16, 16, 1))
    assert drawn["scan"].min() >= spec["low"][0]
    written = [*modaloom.generate(run, given={"text": "left"}, want="scan", n=1, out=tmp_path / "out")]
    again = RASTER.read(tmp_path / "out" / "0000.scan.png")
    assert np.array_equal(again, written[0].streams["scan"])
    rows = modaloom.evaluate(run, folder, n=4)
    assert any(row.metric.startswith("psnr") for row in rows)
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    assert "1 × uint16" in page


def test_a_folder_of_another_kind_is_refused(folder: Path, tmp_path: Path) -> None:
    run = modaloom.train(folder, out=tmp_path / "run", steps=2, settings=SMALL, device="cpu")
    other = tmp_path / "other"
    other.mkdir()
    (other / "1.scan.txt").write_text("x")
    (other / "1.txt").write_text("left")
    with pytest.raises(modaloom.BadFolder, match=r"stream 'scan' is text in .*, and raster in the run"):
        [*modaloom.generate(run, other, want="text", out=tmp_path / "out")]
