"""Pictures of every size, mode and state of decay."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from modaloom.core.errors import BadFile
from modaloom.modalities import image as images
from modaloom.modalities.image_spec import ImageLimits

RED, BLUE = (255, 0, 0), (0, 0, 255)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def noise(height: int, width: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def halves(left: tuple[int, ...], right: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (8, 4), left)
    image.paste(right, (4, 0, 8, 4))
    return image


def test_grey_becomes_rgb(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("L", (3, 2), 77))
    assert np.unique(images.read(path)) == [77]


def test_palettes_become_rgb(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.gif", halves(RED, BLUE).convert("P", palette=Image.Palette.ADAPTIVE))
    assert np.asarray(images.read(path)).tolist() == np.asarray(halves(RED, BLUE)).tolist()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_composited_on_white(mode: str, tmp_path: Path) -> None:
    black = (0, 0, 0, 51) if mode == "RGBA" else (0, 51)
    path = saved(tmp_path / "a.png", Image.new(mode, (2, 2), black))
    assert np.unique(images.read(path)) == [204]


def test_a_transparent_palette_entry_is_white(tmp_path: Path) -> None:
    palette = halves(RED, BLUE).convert("P", palette=Image.Palette.ADAPTIVE)
    transparent = palette.getpixel((0, 0))
    path = saved(tmp_path / "a.png", palette, transparency=transparent)
    pixels = np.asarray(images.read(path))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[0, -1].tolist() == list(BLUE)


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90° clockwise
    path = saved(tmp_path / "a.png", halves(RED, BLUE), exif=exif)
    pixels = np.asarray(images.read(path))
    assert pixels.shape == (8, 4, 3)
    assert pixels[0, 0].tolist() == list(RED)
    assert pixels[-1, 0].tolist() == list(BLUE)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_keep_their_brightness(suffix: str, tmp_path: Path) -> None:
    levels = np.array([[0, 25800, 65535]], np.uint16)
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(levels))
    assert np.asarray(images.read(path))[0, :, 0].tolist() == [0, 100, 255]


def test_cmyk_and_one_bit_are_read(tmp_path: Path) -> None:
    cmyk = saved(tmp_path / "a.jpg", Image.new("CMYK", (8, 8), (0, 0, 0, 0)))
    bits = saved(tmp_path / "b.bmp", Image.new("1", (8, 8), 1))
    assert np.asarray(images.read(cmyk)).min() >= 250
    assert np.asarray(images.read(bits)).min() == 255


def test_an_animation_is_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE)]
    path = saved(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])
    assert np.asarray(images.read(path))[0, 0].tolist() == list(RED)


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "JPG"])
def test_every_format_is_read_and_refused_when_truncated(suffix: str, tmp_path: Path) -> None:
    path = saved(tmp_path / f"a.{suffix}", noise(24, 24))
    assert images.read(path).size == (24, 24)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadFile, match=re.escape(str(path))):
        images.read(path)


@pytest.mark.parametrize(("suffix", "format"), [("png", "JPEG"), ("jpg", "PNG"), ("gif", "WEBP")])
def test_the_content_counts_and_not_the_suffix(suffix: str, format: str, tmp_path: Path) -> None:
    path, right = tmp_path / f"a.{suffix}", tmp_path / f"b.{format.lower()}"
    for place in (path, right):
        noise(8, 8).save(place, format=format)
    assert np.array_equal(images.read(path), images.read(right))


def test_the_first_picture_of_a_cameras_file_is_read(tmp_path: Path) -> None:
    """JPEG with further pictures, a preview for instance."""
    path, plain = tmp_path / "a.jpg", tmp_path / "b.jpg"
    noise(16, 16).save(path, format="MPO", save_all=True, append_images=[noise(8, 8)])
    noise(16, 16).save(plain)
    with Image.open(path) as image:
        assert image.format == "MPO"
    assert np.array_equal(images.read(path), images.read(plain))


def test_formats_off_the_list_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    noise(8, 8).save(path, format="PPM")
    with pytest.raises(BadFile, match="cannot be decoded"):
        images.read(path)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.png", Image.new("1", (20_000, 20_000)))
    monkeypatch.setattr(Image.Image, "convert", None)
    with pytest.raises(BadFile):
        images.read(path)
    wide = saved(tmp_path / "b.png", Image.new("1", (9000, 9000)))
    with pytest.raises(BadFile, match="9000×9000 pixels"):
        images.read(wide)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "turned"])
def test_a_picture_in_memory_is_what_its_file_is(mode: str, tmp_path: Path) -> None:
    """Whether packed as it is or fitted into a spec."""
    image = noise(5, 7).convert("RGBA")
    image.putalpha(noise(5, 7).convert("L"))
    if mode == "I;16":
        image = Image.fromarray(np.random.default_rng(0).integers(0, 65536, (5, 7), np.uint16))
    elif mode == "turned":
        image = image.convert("RGB")
        image.getexif()[0x0112] = 6
    else:
        image = image.convert(mode)
    name = "a.tif" if mode == "CMYK" else "a.png"
    path = saved(tmp_path / name, image, exif=image.getexif())
    file, spec = images.read(path), {"size": [8, 8], "content": [8, 8], "channels": 3}
    assert np.array_equal(images.to_array(image), images.to_array(file))
    assert np.array_equal(images.pack(image, spec), images.pack(file, spec))


def test_grey_multiplied_by_its_opacity_is_taken_too() -> None:
    """No file holds it, and Pillow converts it to nothing but LA."""
    grey = noise(5, 7).convert("L")
    assert np.array_equal(images.to_array(grey.convert("LA").convert("La")), images.to_array(grey))


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tif", Image.fromarray(np.ones((2, 2), np.float32)))
    with pytest.raises(BadFile, match="floating-point"):
        images.read(path)


@pytest.mark.parametrize("seed", range(60))
def test_flipped_bytes_give_a_picture_or_bad_file(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    suffix = ["png", "jpg", "webp", "bmp", "gif", "tif"][seed % 6]
    path = saved(tmp_path / f"a.{suffix}", noise(20, 20))
    data = bytearray(path.read_bytes())
    for place in rng.integers(0, min(len(data), 200), 4):
        data[place] = rng.integers(256)
    path.write_bytes(data)
    with contextlib.suppress(BadFile):  # anything else fails
        assert images.read(path).mode == "RGB"


def test_written_files_carry_no_metadata(tmp_path: Path) -> None:
    with Image.open(saved(tmp_path / "a.png", noise(8, 8), dpi=(72, 72), icc_profile=b"secret")) as source:
        images.write(source, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert image.info == {}


@pytest.mark.parametrize(
    ("sizes", "size", "content"),
    [
        ([(8, 8)] * 2, [8, 8], [8, 8]),
        ([(28, 28)] * 2, [32, 32], [28, 28]),
        ([(10, 16)], [12, 16], [10, 16]),
        ([(480, 640)] * 2, [24, 32], [24, 32]),
        ([(400, 600)] * 2, [24, 32], [21, 32]),
        ([(640, 480), (64, 48), (100, 75)], [32, 24], [32, 24]),
        ([(20, 20), (18, 18), (19, 19)], [24, 24], [24, 24]),
        ([(1, 500)], [4, 32], [1, 32]),
    ],
)
def test_the_form_follows_the_pictures(
    sizes: list[tuple[int, int]], size: list[int], content: list[int]
) -> None:
    spec = images.infer_spec([noise(*one) for one in sizes], ImageLimits(max_side=32))
    assert spec == {"size": size, "content": content, "channels": 3}


def test_pictures_without_colour_have_one_channel() -> None:
    grey = noise(8, 8).convert("L").convert("RGB")
    spec = images.infer_spec([grey, grey], ImageLimits())
    assert spec["channels"] == 1
    packed = images.pack(grey, spec)
    assert packed.shape == (1, 8, 8)
    assert np.asarray(images.unpack(packed, spec)).tolist() == np.asarray(grey).tolist()
    assert images.infer_spec([grey, noise(8, 8)], ImageLimits())["channels"] == 3


def test_native_pictures_survive_packing_exactly() -> None:
    image = noise(28, 28)
    spec = images.infer_spec([image], ImageLimits())
    assert np.asarray(images.unpack(images.pack(image, spec), spec)).tolist() == np.asarray(image).tolist()


def test_the_aspect_is_padded_with_the_edges_colour_not_squashed() -> None:
    spec = {"size": [32, 32], "content": [32, 32], "channels": 3}
    disc = Image.new("RGB", (64, 32), BLUE)
    disc.paste(RED, (16, 8, 48, 24))
    packed = images.pack(disc, spec).transpose(1, 2, 0)
    red = packed[..., 0] > 200
    rows, columns = red.any(1).nonzero()[0], red.any(0).nonzero()[0]
    assert (len(rows), len(columns)) == (8, 16)
    assert packed[0, 0].tolist() == packed[-1, -1].tolist() == list(BLUE)


def test_compare_at_another_size_and_against_noise() -> None:
    truth = halves(RED, BLUE)
    big = truth.resize((16, 8), Image.Resampling.NEAREST)
    spec = images.infer_spec([truth], ImageLimits())
    assert images.compare(truth, truth, spec) == {"psnr": 100, "ssim": pytest.approx(1), "mse": 0}
    assert images.compare(truth, big, spec)["psnr"] > images.compare(noise(4, 8), big, spec)["psnr"] + 5
    shifted = Image.fromarray(np.full((4, 4, 3), 51, np.uint8))
    assert images.compare(shifted, Image.new("RGB", (4, 4)), spec)["mse"] == pytest.approx(0.04)


def test_the_loss_is_the_squared_error_of_each_picture() -> None:
    signal = torch.zeros(2, 3, 4, 4)
    rebuilt = torch.stack([torch.full((3, 4, 4), 0.5), torch.zeros(3, 4, 4)])
    assert images.IMAGE.signal.loss(rebuilt, signal).tolist() == [0.25, 0]


def test_small_pictures_are_shown_large_and_large_ones_as_they_are() -> None:
    assert 'width="128" height="128"' in images.to_html(noise(8, 8), {})
    assert 'width="300" height="200"' in images.to_html(noise(200, 300), {})


@pytest.mark.parametrize("data", [b"no picture at all", b"\x89PNG\r\n\x1a\n garbage"])
def test_what_is_no_picture_is_told_without_an_address(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(BadFile, match=r"an image \((it is none of \.png|Truncated)") as caught:
        images.read(tmp_path / "a.png")
    assert "0x" not in str(caught.value)
    assert "MPO" not in str(caught.value)


def test_a_picture_of_another_suffix_is_told_the_suffixes(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a", "PNG")
    with pytest.raises(
        BadFile, match=r"holds PNG data, and its name ends in no suffix .*\.png, \.jpg"
    ) as caught:
        images.read(tmp_path / "a")
    assert "None" not in str(caught.value)
