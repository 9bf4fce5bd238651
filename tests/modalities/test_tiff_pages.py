"""Pages of TIFF files, against tifffile; chains without an end are refused."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from modaloom.core.errors import BadFile, BadValue
from modaloom.modalities import MODALITIES
from modaloom.modalities.tiff_pages import MAX_PAGES, num_pages


def tiff(pages: int, *, big: bool = False, order: str = "<") -> bytes:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, bigtiff=big, byteorder=order) as writer:
        for i in range(pages):
            writer.write(np.full((4, 5), i, np.uint16), contiguous=False, metadata=None)
    return buffer.getvalue()


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("pages", [1, 3])
def test_pages_are_those_of_another_reader(pages: int, order: str, big: bool) -> None:
    data = tiff(pages, big=big, order=order)
    assert num_pages(data) == len(tifffile.TiffFile(io.BytesIO(data)).pages) == pages


def endless(path: Path) -> None:
    """Two pages of which the second is followed by the first."""
    data = bytearray(tiff(2))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        first, last = (page.offset for page in file.pages)  # type: ignore[union-attr]
    (entries,) = struct.unpack_from("<H", data, last)
    struct.pack_into("<I", data, last + 2 + 12 * entries, first)
    path.write_bytes(data)


def test_a_circle_is_refused_by_name(tmp_path: Path) -> None:
    endless(tmp_path / "circle.tif")
    with pytest.raises(BadFile, match=r"circle\.tif: has pages that follow each other in a circle"):
        MODALITIES["raster"].read(tmp_path / "circle.tif")


def test_too_many_pages_are_refused() -> None:
    step = 6
    chain = b"".join(struct.pack("<HI", 0, 8 + step * (i + 1)) for i in range(MAX_PAGES + 1))
    with pytest.raises(BadValue, match="more than 4,096 pages"):
        num_pages(b"II*\0" + struct.pack("<I", 8) + chain + bytes(8))


@pytest.mark.parametrize("data", [b"", b"II", b"II*\0", b"II*\0\xff\xff\xff\xff", b"nothing of the kind"])
def test_what_ends_early_has_no_pages(data: bytes) -> None:
    assert num_pages(data) == 0
