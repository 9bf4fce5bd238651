"""Colour profiles, by one in which red and blue are exchanged."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from modaloom.modalities import image as images
from modaloom.modalities.image_form import conform
from modaloom.modalities.image_profile import in_srgb, profile_of


def exchanged() -> bytes:
    """sRGB's profile with the tags of red and blue exchanged, under another name."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table_end = 132 + 12 * int.from_bytes(data[128:132], "big")
    table = data[:table_end]
    for tag in (b"XYZ", b"TRC"):
        table = table.replace(b"r" + tag, b"?" + tag).replace(b"b" + tag, b"r" + tag)
        table = table.replace(b"?" + tag, b"b" + tag)
    rest = data[table_end:]
    for encoding in ("ascii", "utf-16-be"):
        rest = rest.replace("sRGB".encode(encoding), "swap".encode(encoding))
    return table + rest


def pixels(mode: str = "RGB") -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (8, 8, len(mode))).astype(np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_converted_and_transparency_is_kept(mode: str, tmp_path: Path) -> None:
    picture, path = pixels(mode), tmp_path / "a.png"
    picture.save(path, icc_profile=exchanged())
    with Image.open(path) as image:
        found = np.asarray(in_srgb(image)).astype(int)
    expected = np.asarray(picture)[..., [2, 1, 0, *range(3, len(mode))]].astype(int)
    assert np.abs(found - expected).max() <= 2
    assert mode == "RGB" or np.array_equal(found[..., 3], expected[..., 3])


def test_a_file_is_read_in_srgb_and_a_result_says_so(tmp_path: Path) -> None:
    picture, path = pixels(), tmp_path / "a.png"
    picture.save(path, icc_profile=exchanged())
    assert np.abs(np.asarray(images.read(path)).astype(int) - np.asarray(picture)[..., ::-1]).max() <= 2
    assert conform(path, images.read(path), True, False).changes == ["colours became sRGB"]


@pytest.mark.parametrize("profile", [b"", b"nonsense", exchanged()[:200], None])
def test_srgb_and_damaged_profiles_change_nothing(profile: bytes | None, tmp_path: Path) -> None:
    buffer, picture = io.BytesIO(), pixels()
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() if profile is None else profile
    picture.save(buffer, "PNG", icc_profile=own)
    with Image.open(buffer) as image:
        assert profile_of(image) is None
        assert np.array_equal(np.asarray(in_srgb(image)), np.asarray(picture))


def test_a_grey_picture_with_a_profile_of_colours_stays_grey(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.asarray(pixels())[..., 0]).save(path, icc_profile=exchanged())
    found = np.asarray(images.read(path))
    assert (found == found[..., :1]).all()
