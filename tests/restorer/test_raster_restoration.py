"""Restorers of pictures that are no 8-bit colours: true values from file to file.

Oracles: NumPy on the files that are written; doing nothing, and bicubic interpolation.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from numpy.typing import NDArray
from PIL import Image

from modaloom import api as modaloom
from modaloom.core.errors import BadFolder, BadValue, ModaloomError
from modaloom.degradations.upsample import upsample
from modaloom.modalities.raster import RASTER
from modaloom.restorer.restoration import RestoredRun
from modaloom.restorer.tasks import TASKS, tasks_of
from modaloom.restorer.tasks.restore import RESTORE_ANY, Restore

SMALL = (
    *("restorer.local.width=16", "restorer.local.num_res_blocks=1", "restorer.crop_sizes=[16]"),
    *('restorer.unet={"widths":[8,8],"groups":4}', "training.restorer.batch_size=4"),
)
LOW, HIGH = 900.0, 1900.0
SIDE = 32


def textures(n: int, channels: int, seed: int = 0) -> NDArray[np.float64]:
    """(n, SIDE, SIDE, channels) in [0, 1]: blurred noise, of which the channels share a half."""
    blurred = np.random.default_rng(seed).normal(size=(n, SIDE, SIDE, channels + 1))
    for axis in (1, 2):
        blurred = sum(w * np.roll(blurred, k, axis) for k, w in enumerate((1, 4, 6, 4, 1)))
    mixed = blurred[..., :1] + blurred[..., 1:]
    return ((mixed - mixed.min()) / np.ptp(mixed)).astype(np.float64)


def scans(n: int, seed: int = 0) -> list[NDArray[np.uint16]]:
    """12 bits in 16, of which a quarter is used."""
    return [np.round(LOW + (HIGH - LOW) * one[..., 0]).astype(np.uint16) for one in textures(n, 1, seed)]


def tiles(n: int, seed: int = 0) -> list[NDArray[np.float32]]:
    """13 bands of floats, each in units of its own."""
    units, offsets = 10.0 ** np.arange(-6, 7), np.linspace(-5, 5, 13)
    return [((one + offsets) * units).astype(np.float32) for one in textures(n, 13, seed)]


def folder_of(root: Path, values: list[Any]) -> Path:
    """TIFF files; the last 3 are held out."""
    for i, value in enumerate(values):
        path = root / ("test" if i >= len(values) - 3 else "train") / f"{i:02d}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        planes = {"planarconfig": "contig"} if value.ndim == 3 else {}
        tifffile.imwrite(path, value, photometric="minisblack", metadata=None, **planes)
    return root


def trained(folder: Path, out: Path, task: str, steps: int, *more: str, **options: Any) -> RestoredRun:
    run = modaloom.train(
        folder, out=out, task=task, steps=steps, settings=[*SMALL, *more], device="cpu", samples=3, **options
    )
    assert isinstance(run, RestoredRun)
    return run


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("scans") / "data", scans(12))


@pytest.fixture(scope="module")
def denoiser(scanned: Path) -> RestoredRun:
    return trained(scanned, scanned.parent / "denoise", "denoise", 60)


@pytest.fixture(scope="module")
def enlarger(scanned: Path) -> RestoredRun:
    return trained(scanned, scanned.parent / "superres", "superres", 4)


def span(values: list[Any]) -> Any:
    """Least value and range by channel, of the training files."""
    stacked = np.stack([one.reshape(*one.shape[:2], -1).astype(float) for one in values])
    return stacked.min((0, 1, 2)), np.ptp(stacked, (0, 1, 2))


def psnr(made: Any, truth: Any, ranges: Any) -> float:
    off = (made.astype(float) - truth) / ranges
    return float(-10 * np.log10(np.mean(off**2)))


def test_a_noisy_scan_comes_back_as_what_it_is_and_better(denoiser: RestoredRun, tmp_path: Path) -> None:
    values = scans(12)
    truth = values[-1]
    noise = np.random.default_rng(5).normal(0, 0.1 * (HIGH - LOW), truth.shape)
    tifffile.imwrite(tmp_path / "scan.tif", np.round(truth + noise).astype(np.uint16))
    (written,) = modaloom.restore(denoiser.path, tmp_path / "scan.tif", out=tmp_path / "out")
    made = tifffile.imread(written)
    assert (written.name, made.dtype, made.shape) == ("scan.tif", np.uint16, truth.shape)
    _, ranges = span(values[:-3])
    assert psnr(made, truth, ranges) > psnr(truth + noise, truth, ranges) + 3


def test_psnr_is_that_of_the_files_in_the_range_of_the_training_values(
    denoiser: RestoredRun, scanned: Path
) -> None:
    (row,) = (row for row in modaloom.evaluate(denoiser, scanned, n=3) if row.metric == "psnr")
    shown = denoiser.path / "samples"
    (block,) = json.loads((shown / "index.json").read_text())["restored"]
    _, ranges = span(scans(12)[:-3])
    pairs = [(RASTER.read(shown / one["mean"]), RASTER.read(shown / one["truth"])) for one in block["rows"]]
    assert [truth.tolist() for _, truth in pairs] == [scan[..., None].tolist() for scan in scans(12)[-3:]]
    assert row.value == pytest.approx(np.mean([psnr(made, truth, ranges) for made, truth in pairs]), abs=1e-6)
    assert row.floor is not None
    assert row.value > row.floor + 3
    page = (denoiser.path / "report.html").read_text()
    assert "1 × uint16" in page


def test_bands_of_floats_are_enlarged_in_their_units(tmp_path: Path, many_measured_pairs: None) -> None:
    values = tiles(12)
    run = trained(folder_of(tmp_path / "data", values), tmp_path / "run", "superres", 10)
    (row,) = (row for row in modaloom.evaluate(run, tmp_path / "data", n=3) if row.metric == "psnr")
    assert row.floor is not None
    assert row.value > row.floor + 0.5
    low, ranges = span(values[:-3])
    unit = torch.from_numpy((values[-1] - low) / ranges).permute(2, 0, 1).float()
    small = torch.nn.functional.interpolate(unit[None], (16, 16), mode="bicubic", antialias=True)[0]
    given = (small.permute(1, 2, 0).numpy() * ranges + low).astype(np.float32)
    tifffile.imwrite(tmp_path / "tile.tif", given, photometric="minisblack", planarconfig="contig")
    (written,) = modaloom.restore(run.path, tmp_path / "tile.tif", out=tmp_path / "out")
    made = tifffile.imread(written)
    assert (made.dtype, made.shape) == (np.float32, (SIDE, SIDE, 13))
    bicubic = upsample(small, factor=2).permute(1, 2, 0).numpy() * ranges + low
    assert psnr(made, values[-1], ranges) > psnr(bicubic, values[-1], ranges) + 0.5


@pytest.mark.parametrize("times", [3, 30])
def test_what_is_brighter_than_all_of_the_training_stays_so(enlarger: RestoredRun, times: int) -> None:
    """The answer to a scan of another range is that of the range: with its filter alone it is linear."""
    scan = scans(1, seed=9)[0]
    bright = np.round(LOW + times * (scan - LOW)).astype(np.uint16)
    made = enlarger.restore(bright)
    assert made.dtype == np.uint16
    assert made.max() > HIGH + 0.5 * (int(bright.max()) - HIGH)
    again = made.reshape(SIDE, 2, SIDE, 2).mean((1, 3))
    assert np.abs(again - bright).mean() < 0.1 * np.ptp(bright)


@pytest.mark.parametrize("suffix", ["tif", "tiff", "npy", "npz", "png"])
def test_a_file_comes_back_in_its_format(enlarger: RestoredRun, suffix: str, tmp_path: Path) -> None:
    scan, path = scans(1)[0], tmp_path / "in" / f"scan.{suffix}"
    path.parent.mkdir()
    if suffix == "npz":
        np.savez(path, scan)
    else:
        RASTER.write(scan[..., None], path)
    for inputs in (path, path.parent):
        (written,) = modaloom.restore(enlarger.path, inputs, out=tmp_path / f"out-{inputs.name}")
        assert written.suffix == (".png" if suffix == "npz" else f".{suffix}")
        made = RASTER.read(written)
        assert (made.dtype, made.shape) == (np.uint16, (2 * SIDE, 2 * SIDE, 1))


def test_another_type_or_number_of_channels_is_refused_by_name(enlarger: RestoredRun, tmp_path: Path) -> None:
    Image.new("L", (9, 9), 100).save(tmp_path / "grey.png")
    np.save(tmp_path / "two.npy", np.zeros((9, 9, 2), np.uint16))
    for name, named in {
        "grey.png": "grey: has values of type uint8; the stream has uint16",
        "two.npy": "two: has 2 channels; the stream has 1",
    }.items():
        with pytest.raises(BadValue, match=named):
            [*modaloom.restore(enlarger.path, tmp_path / name, out=tmp_path / "out")]


def test_inpainting_keeps_what_is_known(scanned: Path, tmp_path: Path) -> None:
    run = trained(scanned, tmp_path / "run", "inpaint", 2)
    scan, hole = scans(1, seed=4)[0], np.zeros((SIDE, SIDE), np.uint8)
    hole[10:14, 6:12] = 255
    Image.fromarray(hole).save(tmp_path / "hole.png")
    asked = modaloom.RestoreOptions(mask=tmp_path / "hole.png")
    made = run.restore(scan, asked)[..., 0]
    assert np.array_equal(made[hole == 0], scan[hole == 0])
    assert not np.array_equal(made[hole > 0], scan[hole > 0])


def test_pictures_with_transparency_keep_it_as_a_channel(tmp_path: Path) -> None:
    """A grey one of the same stream comes back grey and opaque."""
    random, root = np.random.default_rng(0), tmp_path / "data"
    root.mkdir()
    for i in range(20):
        pixels = random.integers(0, 256, (24, 24, 4 if i % 4 else 1), np.uint8)
        Image.fromarray(pixels.squeeze()).save(root / f"{i:02d}.png")
    run = trained(root, tmp_path / "run", "superres", 2)
    assert run.restoration.plan.channels == 4
    names = [root / "01.png", root / "00.png"]
    written = [*modaloom.restore(run.path, names, out=tmp_path / "out")]
    assert [RASTER.read(path).shape for path in written] == [(48, 48, 4), (48, 48, 1)]


@pytest.mark.parametrize("task", ["colorize", "jpeg", "style"])
def test_what_is_defined_for_8_bits_alone_reads_them_so_and_says_it(task: str, tmp_path: Path) -> None:
    root, random, said = tmp_path / "data", np.random.default_rng(0), list[str]()
    root.mkdir()
    for i in range(20):
        Image.fromarray(random.integers(0, 256, (24, 24, 4), np.uint8)).save(root / f"{i:02d}.png")
    callbacks = modaloom.TrainCallbacks(notify=said.append)
    run = trained(root, tmp_path / "run", task, 1, callbacks=callbacks)
    assert any("image is a raster, and read as image: 8 bits" in one for one in said)
    assert (run.modality.name, run.restoration.plan.channels) == ("image", 3)


def test_restore_leaves_out_the_degradations_that_need_8_bits(scanned: Path, tmp_path: Path) -> None:
    run = trained(scanned, tmp_path / "run", "restore", 2)
    assert run.modality.name == "raster"
    rows = {row.row for row in modaloom.evaluate(run, scanned, n=1)}
    assert rows == {"restore:superres", "restore:inpaint", "restore:denoise"}
    made = run.restore(scans(1)[0], modaloom.RestoreOptions(options={"degradation": "denoise"}))
    assert made.dtype == np.uint16
    with pytest.raises(BadValue, match="unknown degradation 'jpeg'; allowed: denoise, inpaint, superres"):
        run.restore(scans(1)[0], modaloom.RestoreOptions(options={"degradation": "jpeg"}))
    random = torch.Generator().manual_seed(0)
    drawn = {RESTORE_ANY.sample_options(Restore(), random).degradation for _ in range(50)}
    assert drawn == {"superres", "inpaint", "denoise"}
    assert tasks_of(RASTER.signal).keys() == TASKS.keys() - {"colorize", "jpeg", "style"}


def test_pairs_have_scales_of_their_own(tmp_path: Path) -> None:
    """From scans to floats in other units."""
    root = tmp_path / "data"
    (root / "train").mkdir(parents=True)
    for i, scan in enumerate(scans(12)):
        tifffile.imwrite(root / "train" / f"{i:02d}.scan.tif", scan)
        tifffile.imwrite(root / "train" / f"{i:02d}.wide.tif", wide(scan))
    run = trained(root, tmp_path / "run", "image_to_image", 3, streams=["scan", "wide"])
    scan = scans(1, seed=3)[0]
    made = run.restore(scan)[..., 0]
    assert made.dtype == np.float32
    assert np.abs(made - wide(scan)).mean() < 0.05 * np.ptp(wide(scan))


def wide(scan: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (1e-3 * scan.astype(np.float32) ** 1.5 - 5).astype(np.float32)


def test_pairs_of_pictures_and_rasters_are_read_as_pictures(tmp_path: Path) -> None:
    root, random, said = tmp_path / "data", np.random.default_rng(0), list[str]()
    (root / "train").mkdir(parents=True)
    for i in range(6):
        pixels = random.integers(0, 256, (24, 24, 4), np.uint8)
        Image.fromarray(pixels).save(root / "train" / f"{i}.cut.png")
        Image.fromarray(pixels[..., :3]).save(root / "train" / f"{i}.whole.png")
    callbacks = modaloom.TrainCallbacks(notify=said.append)
    run = trained(root, tmp_path / "run", "image_to_image", 1, streams=["whole", "cut"], callbacks=callbacks)
    assert run.modality.name == "image"
    assert any("cut is a raster, and read as image" in one for one in said)


@pytest.mark.parametrize("task", ["generate", "vary"])
def test_whole_scans_are_drawn_in_their_range(scanned: Path, task: str, tmp_path: Path) -> None:
    run = trained(scanned, tmp_path / "run", task, 2)
    inputs = [] if task == "generate" else [scanned / "test" / "09.tif"]
    (written, *_) = modaloom.restore(run.path, inputs, out=tmp_path / "out")
    made = RASTER.read(written)
    assert (made.dtype, made.shape) == (np.uint16, (SIDE, SIDE, 1))
    assert {row.metric for row in modaloom.evaluate(run, scanned, n=2)} == {"hf_energy_ratio"}


def test_a_run_of_pictures_goes_on_reading_rasters_as_pictures(enlarger: RestoredRun, tmp_path: Path) -> None:
    """And one of rasters ordinary pictures as rasters; texts are refused."""
    for kind, channels in (("opaque", 3), ("clear", 4)):
        (tmp_path / kind).mkdir()
        for i in range(12):
            pixels = np.random.default_rng(i).integers(0, 256, (24, 24, channels), np.uint8)
            Image.fromarray(pixels).save(tmp_path / kind / f"{i:02d}.png")
    for own, other in (("opaque", "clear"), ("clear", "opaque")):
        run = trained(tmp_path / own, tmp_path / f"run-{own}", "superres", 1)
        assert {row.row for row in modaloom.evaluate(run, tmp_path / other)} == {"restore:superres"}
    (tmp_path / "texts").mkdir()
    for i in range(12):
        (tmp_path / "texts" / f"{i}.image.txt").write_text("a")
    with pytest.raises((BadFolder, ModaloomError), match="image' is text in"):
        modaloom.evaluate(enlarger, tmp_path / "texts")


def test_what_a_tokenizer_makes_of_scans_is_refined(scanned: Path, tmp_path: Path) -> None:
    small = ["loom.width=16", "loom.num_layers=1", "loom.num_heads=1", "tokenizers.raster.widths=[8,8]"]
    loom = modaloom.train(scanned, out=tmp_path / "loom", steps=2, settings=small, samples=1)
    run = trained(scanned, tmp_path / "run", "refine", 2, tokenizers=loom.path)
    assert run.restoration.plan.scales == {"image": run.restoration.plan.spec}
    made = run.restore(scans(1)[0])
    assert (made.dtype, made.shape) == (np.uint16, (SIDE, SIDE, 1))
