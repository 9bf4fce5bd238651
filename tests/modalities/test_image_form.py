"""What is made of a picture has its form: grey, transparency; what it cannot have is said."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modaloom.modalities import image as images
from modaloom.modalities.image_form import conform

RNG = np.random.default_rng(0)


def picture(mode: str, size: tuple[int, int] = (6, 4)) -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    levels = RNG.integers(0, 256, (size[1], size[0], channels), np.uint8)
    return Image.fromarray(levels.squeeze(-1) if channels == 1 else levels, mode)


def made(size: tuple[int, int] = (6, 4)) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 3), np.uint8))


@pytest.mark.parametrize(
    ("mode", "aligned", "recolored", "expected", "changes"),
    [
        ("RGB", True, False, "RGB", []),
        ("L", True, False, "L", []),
        ("L", True, True, "RGB", []),
        ("L", False, False, "RGB", ["grey became RGB"]),
        ("LA", True, False, "LA", []),
        ("RGBA", True, False, "RGBA", []),
        ("RGBA", True, True, "RGBA", []),
        ("RGBA", False, False, "RGB", ["transparency became white"]),
        ("CMYK", True, False, "RGB", ["CMYK became RGB"]),
    ],
)
def test_the_form_comes_back_or_is_said(
    mode: str, aligned: bool, recolored: bool, expected: str, changes: list[str]
) -> None:
    found = conform(picture(mode), made(), aligned, recolored)
    assert (found.value.mode, [*found.changes]) == (expected, changes)


def test_what_is_restored_looks_on_white_as_it_was_restored() -> None:
    """Its transparency is that of the source; the rest is the composite's inverse where there is room."""
    source, answer = picture("RGBA"), made()
    levels = np.asarray(source)[..., 3].astype(float)
    answer = Image.fromarray(
        np.maximum(np.asarray(answer), np.ceil(255 - levels)[..., None]).astype(np.uint8)
    )
    found = conform(source, answer, True, False).value
    assert np.array_equal(np.asarray(found)[..., 3], levels)
    on_white = Image.alpha_composite(Image.new("RGBA", found.size, "white"), found).convert("RGB")
    assert np.abs(np.asarray(on_white, int) - np.asarray(answer, int)).max() <= 1


def test_transparency_grows_with_the_picture() -> None:
    source = Image.new("RGBA", (6, 4), (10, 20, 30, 0))
    source.paste((10, 20, 30, 255), (0, 0, 3, 4))
    found = np.asarray(conform(source, made((12, 8)), True, False).value)
    assert found.shape == (8, 12, 4)
    assert found[:, :4, 3].min() == 255
    assert found[:, 8:, 3].max() == 0


def test_a_turned_file_keeps_its_transparency_upright(tmp_path: Path) -> None:
    source = picture("RGBA")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    source.save(tmp_path / "a.png", exif=exif)
    upright = images.read(tmp_path / "a.png")
    found = conform(tmp_path / "a.png", upright, True, False).value
    assert np.array_equal(np.asarray(found)[..., 3], np.rot90(np.asarray(source)[..., 3], -1))


def test_16_bits_are_told_of_grey_and_of_rgb(tmp_path: Path) -> None:
    Image.fromarray(RNG.integers(0, 65536, (4, 6), np.uint16)).save(tmp_path / "grey.png")
    (tmp_path / "rgb.png").write_bytes(_png_of_16_bits_rgb())
    for name, mode in {"grey": "L", "rgb": "RGB"}.items():
        found = conform(tmp_path / f"{name}.png", images.read(tmp_path / f"{name}.png"), True, False)
        assert (found.value.mode, [*found.changes]) == (mode, ["16 bits a channel became 8"])


def _png_of_16_bits_rgb() -> bytes:
    """One pixel, which Pillow can read and not write."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    pixel = zlib.compress(b"\0" + struct.pack(">HHH", 1000, 30000, 65535))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


def test_only_the_first_frame_is_told(tmp_path: Path) -> None:
    picture("RGB").save(tmp_path / "a.gif", save_all=True, append_images=[picture("RGB")])
    found = conform(tmp_path / "a.gif", images.read(tmp_path / "a.gif"), True, False)
    assert "only the first frame was taken" in found.changes


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_the_form_is_written(mode: str, tmp_path: Path) -> None:
    value = picture(mode)
    images.write(value, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as found:
        assert found.mode == mode
        assert np.array_equal(np.asarray(found), np.asarray(value))


def test_a_picture_that_is_decoded_only_now_and_is_damaged_is_named() -> None:
    buffer = io.BytesIO()
    picture("RGB", (60, 60)).save(buffer, "PNG")
    half = Image.open(io.BytesIO(buffer.getvalue()[: len(buffer.getvalue()) // 2]))
    with pytest.raises(images.BadValue, match="cannot be decoded"):
        images.coerce(half)
