"""Contact sheet: rows of values as one image, for a README."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from modaloom.data.atomic_io import write_file
from modaloom.modalities.base import Value

SIDE, GAP, SIZE = 128, 12, 18
"""Longest side of an image, gap between cells, font size; in pixels."""
LEADING = round(1.3 * SIZE)
"""Line height in pixels."""


@dataclass(frozen=True)
class Cell:
    """An image above lines of text, or either alone."""

    picture: Image.Image | None
    lines: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Height in pixels."""
        return (self.picture.height if self.picture else 0) + LEADING * len(self.lines)


def strip(rows: list[list[Value]], path: Path) -> None:
    """Writes a PNG of the rows, with images side by side, small ones enlarged by nearest-neighbour.

    A text or a record is placed below the preceding image; without one, it has its own cell.
    Raises `WorkFailed` if the file cannot be written.
    """
    cells = [_cells(row) for row in rows]
    heights = [max((cell.height for cell in row), default=0) + GAP for row in cells]
    width = GAP + (SIDE + GAP) * max((len(row) for row in cells), default=0)
    sheet = Image.new("RGB", (width, GAP + sum(heights)), "white")
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            _paste(sheet, cell, GAP + j * (SIDE + GAP), GAP + sum(heights[:i]))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", optimize=True)
    write_file(path, buffer.getvalue())


def _cells(row: list[Value]) -> list[Cell]:
    cells: list[Cell] = []
    for value in row:
        if isinstance(value, Image.Image):
            cells.append(Cell(_enlarged(value)))
        elif cells and cells[-1].picture:
            cells[-1] = replace(cells[-1], lines=(*cells[-1].lines, *_wrapped(value)))
        else:
            cells.append(Cell(None, tuple(_wrapped(value))))
    return cells


def _enlarged(picture: Image.Image) -> Image.Image:
    """Resizes an image to a longest side of SIDE pixels; enlarges by nearest-neighbour."""
    scale = SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.convert("RGB").resize(
        size, Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
    )


def _wrapped(value: Value) -> Iterator[str]:
    """Wraps a text or a record to the width of an image; a longer word has its own line."""
    text = "\n".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, Mapping) else str(value)
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and _font().getlength(longer) > SIDE:
                yield line
                longer = word
            line = longer
        yield line


def _paste(sheet: Image.Image, cell: Cell, x: int, y: int) -> None:
    if cell.picture:
        sheet.paste(cell.picture, (x, y))
        y += cell.picture.height
    for i, line in enumerate(cell.lines):
        ImageDraw.Draw(sheet).text((x, y + i * LEADING), line, fill="black", font=_font())


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(SIZE)
