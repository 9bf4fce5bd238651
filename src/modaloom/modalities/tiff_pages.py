"""The chain of pages of a TIFF file (TIFF 6.0, section 2; BigTIFF), which a damaged file may never end."""

import struct
from typing import NamedTuple

from modaloom.core.errors import BadValue

MAX_PAGES = 4096


class Layout(NamedTuple):
    """Where a version of TIFF has what."""

    first: int
    """Place of the offset of the first page."""
    offset: str
    """Type of an offset, for `struct`."""
    entries: str
    """Type of the number of entries of a page."""
    entry: int
    """Bytes of an entry."""


LAYOUTS = {42: Layout(4, "I", "H", 12), 43: Layout(8, "Q", "Q", 20)}


def num_pages(data: bytes) -> int:
    """Number of pages of a file; the chain ends where the file does.

    Raises `BadValue` for pages that follow each other in a circle, and for more than `MAX_PAGES`.
    """
    order = "<" if data[:2] == b"II" else ">"
    try:
        layout = LAYOUTS[struct.unpack_from(f"{order}H", data, 2)[0]]
    except (struct.error, KeyError):
        return 0
    place, seen = layout.first, set[int]()
    while (page := _number(order + layout.offset, data, place)) and page < len(data):
        if page in seen:
            raise BadValue("has pages that follow each other in a circle")
        seen.add(page)
        if len(seen) > MAX_PAGES:
            raise BadValue(f"has more than {MAX_PAGES:,} pages")
        entries = _number(order + layout.entries, data, page)
        place = page + struct.calcsize(order + layout.entries) + entries * layout.entry
    return len(seen)


def _number(kind: str, data: bytes, place: int) -> int:
    """The number at a place; 0 after the end."""
    if place + struct.calcsize(kind) > len(data):
        return 0
    (number,) = struct.unpack_from(kind, data, place)
    return int(number)
