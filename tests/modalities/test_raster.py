"""Pictures with their true values: what is read, learned and written is what the files hold."""

import base64
import io
import re
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from modaloom.core.errors import BadFile, BadValue
from modaloom.core.types import Sample
from modaloom.data.folder import open_folder
from modaloom.data.writer import Writer
from modaloom.metrics.psnr import psnr
from modaloom.modalities import MODALITIES
from modaloom.modalities.image_spec import ImageLimits
from modaloom.modalities.raster import RASTER, checked

RANDOM = np.random.default_rng(0)
CODEC = RASTER.signal
KINDS = {
    "12 bits in 16": RANDOM.integers(0, 4096, (9, 12, 1), np.uint16),
    "16 bits": RANDOM.integers(0, 65536, (9, 12, 1), np.uint16),
    "16-bit colours": RANDOM.integers(0, 65536, (9, 12, 3), np.uint16),
    "float": RANDOM.normal(size=(9, 12, 1)).astype(np.float32),
    "13 bands": RANDOM.integers(0, 10_000, (9, 12, 13), np.uint16),
    "13 float bands": RANDOM.normal(size=(9, 12, 13)).astype(np.float32),
    "colours and alpha": RANDOM.integers(0, 256, (9, 12, 4), np.uint8),
    "grey and alpha": RANDOM.integers(0, 256, (9, 12, 2), np.uint8),
    "classes": RANDOM.integers(0, 6, (9, 12, 1), np.uint8),
    "near infrared": RANDOM.integers(0, 256, (9, 12, 5), np.uint8),
}
every = pytest.mark.parametrize("value", KINDS.values(), ids=KINDS)


def spec_of(*values: Any, side: int = 32) -> dict[str, Any]:
    return RASTER.infer_spec(values, ImageLimits(max_side=side))


@every
def test_what_is_written_reads_back_exactly(value: Any, tmp_path: Path) -> None:
    Writer(tmp_path, {"scan": "raster"}).write(Sample("1", {"scan": value}))
    (path,) = tmp_path.iterdir()
    again = RASTER.read(path)
    assert (again.dtype, again.shape) == (value.dtype, value.shape)
    assert np.array_equal(again, value)


@every
def test_a_folder_of_them_has_this_modality(value: Any, tmp_path: Path) -> None:
    writer = Writer(tmp_path, {"scan": "raster"})
    for i in range(3):
        writer.write(Sample(str(i), {"scan": value}))
    assert open_folder(tmp_path).modality_of == {"scan": "raster"}


@every
def test_packed_values_of_whole_numbers_are_exact(value: Any) -> None:
    spec = spec_of(value)
    packed = torch.from_numpy(CODEC.pack(value, spec))[None]
    signal = CODEC.normalize(packed)
    assert signal.min() == -1
    assert signal.max() == 1
    again = CODEC.unpack(CODEC.denormalize(signal)[0].numpy(), spec)
    assert (again.dtype, again.shape) == (value.dtype, value.shape)
    if value.dtype == np.float32:
        assert np.abs(again - value).max() <= (value.max() - value.min()) / 65535
    else:
        assert np.array_equal(again, value)


def test_the_range_is_measured_and_metrics_are_of_it() -> None:
    value = KINDS["12 bits in 16"]
    spec = spec_of(value)
    assert (spec["type"], spec["low"], spec["high"]) == ("uint16", [value.min()], [value.max()])
    other = (value.astype(int) ^ 16).astype(np.uint16).clip(value.min(), value.max())
    span = float(value.max() - value.min())
    error = float((((value.astype(float) - other) / span) ** 2).mean())
    assert RASTER.compare(other, value, spec)["psnr"] == pytest.approx(psnr(error), abs=0.01)
    assert RASTER.compare(value, value, spec)["mse"] == 0


def test_bands_have_ranges_of_their_own() -> None:
    value = (
        np.stack([np.linspace(0, 1, 64), np.linspace(500, 900, 64)], -1).reshape(8, 8, 2).astype(np.float32)
    )
    spec = spec_of(value)
    assert (spec["low"], spec["high"]) == ([0, 500], [1, 900])
    assert CODEC.normalize(torch.from_numpy(CODEC.pack(value, spec))[None]).std() > 0.5


def test_8_bit_values_with_and_without_alpha_are_one_stream() -> None:
    grey, colours, alpha = (RANDOM.integers(0, 256, (8, 8, n), np.uint8) for n in (1, 3, 4))
    spec = spec_of(grey, colours, alpha)
    assert (spec["channels"], spec["low"], spec["high"]) == (4, [0] * 4, [255] * 4)
    back = CODEC.unpack(CODEC.pack(grey, spec), spec)
    assert np.array_equal(back, np.concatenate([grey, grey, grey, np.full_like(grey, 255)], 2))
    assert np.array_equal(CODEC.unpack(CODEC.pack(colours, spec), spec)[..., :3], colours)
    assert np.array_equal(CODEC.unpack(CODEC.pack(alpha, spec), spec), alpha)


@pytest.mark.parametrize("pair", [("16 bits", "classes"), ("13 bands", "16 bits"), ("float", "16 bits")])
def test_other_mixtures_are_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(BadValue, match="a stream has one type and number of channels"):
        spec_of(*(KINDS[name] for name in pair))
    with pytest.raises(BadValue, match="channels"):
        CODEC.pack(KINDS["16-bit colours"], spec_of(KINDS["13 bands"]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused_by_name(bad: float, tmp_path: Path) -> None:
    value = KINDS["float"].copy()
    value[0, 0, 0] = bad
    np.save(tmp_path / "a.npy", value)
    with pytest.raises(BadFile, match=r"a\.npy.*1 values that are NaN or infinite"):
        RASTER.read(tmp_path / "a.npy")


def test_types_that_have_a_place_in_others() -> None:
    assert checked(np.array([[True, False]])).dtype == np.uint8
    assert checked(np.array([[-1000, 3000]], np.int16)).dtype == np.float32
    assert checked(np.array([[0.5]])).dtype == np.float32
    with pytest.raises(BadValue, match="int64, which float32 does not hold exactly"):
        checked(np.array([[2**40 + 1]]))


@pytest.mark.parametrize(
    ("shape", "found"),
    [((4, 5), (4, 5, 1)), ((8, 9, 3), (8, 9, 3)), ((3, 8, 9), (8, 9, 3)), ((8, 8, 8), None)],
)
def test_axes_of_arrays(shape: tuple[int, ...], found: tuple[int, ...] | None, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape, np.float32))
    if found is None:
        with pytest.raises(BadFile, match="does not tell which axis has the channels"):
            RASTER.read(tmp_path / "a.npy")
    else:
        assert RASTER.read(tmp_path / "a.npy").shape == found


def test_pages_are_channels_and_other_axes_are_refused(tmp_path: Path) -> None:
    pages = RANDOM.integers(0, 4096, (5, 9, 12), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack")
    assert np.array_equal(RASTER.read(tmp_path / "a.tif"), pages.transpose(1, 2, 0))
    tifffile.imwrite(tmp_path / "b.tif", RANDOM.integers(0, 255, (5, 9, 12, 3), np.uint8), photometric="rgb")
    with pytest.raises(BadFile, match=r"b\.tif.*pages and bands"):
        RASTER.read(tmp_path / "b.tif")


def test_a_band_that_is_no_alpha_is_a_channel(tmp_path: Path) -> None:
    value = RANDOM.integers(0, 256, (9, 12, 4), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", value, photometric="rgb", extrasamples=["unspecified"])
    assert MODALITIES["image"].exact is not None
    assert MODALITIES["image"].exact([tmp_path / "a.tif"]) == "raster"
    assert np.array_equal(RASTER.read(tmp_path / "a.tif"), value)


def test_ordinary_pictures_stay_images(tmp_path: Path) -> None:
    colours = RANDOM.integers(0, 256, (9, 12, 3), np.uint8)
    for name, mode in (("a.png", "RGB"), ("b.jpg", "RGB"), ("c.png", "L"), ("d.png", "P"), ("e.png", "RGBA")):
        Image.fromarray(colours).convert(mode).save(tmp_path / name)
    (tmp_path / "f.png").write_bytes(b"")
    Image.fromarray(np.zeros((9, 12), np.uint8)).save(tmp_path / "g.png")
    for path in sorted(tmp_path.iterdir()):
        assert MODALITIES["image"].exact is not None
        assert MODALITIES["image"].exact([path]) == "image", path.name


def test_files_that_lie_are_refused_by_name(tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 100000), }"
    (tmp_path / "huge.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    np.save(tmp_path / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "two.npz", a=np.zeros((2, 2)), b=np.zeros((2, 2)))
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        buffer = io.BytesIO()
        np.save(buffer, np.zeros((3, 3)))
        archive.writestr("a.npy", buffer.getvalue() + bytes(300 * 2**20))
    (tmp_path / "noise.npy").write_bytes(b"noise")
    (tmp_path / "noise.png").write_bytes(b"noise")
    reasons = {}
    for path in tmp_path.iterdir():
        with pytest.raises(BadFile) as caught:
            RASTER.read(path)
        reasons[path.name] = caught.value.reason
    assert "is shorter than its 100000×100000 values" in reasons["huge.npy"]
    assert "holds 2 arrays (a, b)" in reasons["two.npz"]
    assert "unpacks to" in reasons["bomb.npz"]
    assert "no known format" in reasons["noise.png"]
    assert "is no array of NumPy's" in reasons["pickle.npy"]


def test_what_the_page_shows_says_what_it_is() -> None:
    assert "13 × uint16" in RASTER.to_html(KINDS["13 bands"], {})
    assert RASTER.describe(iter([KINDS["12 bits in 16"]]))["type"] == "uint16"
    packed = torch.from_numpy(CODEC.pack(KINDS["13 bands"], spec_of(KINDS["13 bands"])))[None]
    assert CODEC.preview(packed).shape[1] == 3


def test_the_page_shows_values_in_the_range_of_their_stream() -> None:
    """So that a picture and its restoration are as bright; without facts, in their own."""
    value = np.array([[100, 150], [175, 200]], np.uint16)[..., None]
    for spec, levels in (({"low": [0], "high": [200]}, [128, 191, 223, 255]), ({}, [0, 128, 191, 255])):
        data = re.search(r"base64,([^\"]+)", RASTER.to_html(value, spec))
        assert data is not None
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1]))))
        assert shown.flatten().tolist() == levels


def test_twelve_bits_in_sixteen_are_no_black_picture(tmp_path: Path) -> None:
    Image.fromarray(KINDS["12 bits in 16"][..., 0]).save(tmp_path / "a.png")
    with pytest.raises(BadFile, match=r"a\.png.* of 65,535, as 12 bits in 16 have"):
        MODALITIES["image"].read(tmp_path / "a.png")
    Image.fromarray(KINDS["16 bits"][..., 0]).save(tmp_path / "b.png")
    assert MODALITIES["image"].read(tmp_path / "b.png").size == (12, 9)
