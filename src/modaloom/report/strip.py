"""A contact sheet: rows of values as one picture, for a README."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from modaloom.data.atomic_io import write_file
from modaloom.modalities.base import Value

SIDE, GAP, SIZE = 128, 12, 18
"""Of a picture, between cells, of the letters: pixels."""
LEADING = round(1.3 * SIZE)
"""From one line of text to the next."""


@dataclass(frozen=True)
class Cell:
    """A picture over lines of text, or either alone."""

    picture: Image.Image | None
    lines: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Pixels."""
        return (self.picture.height if self.picture else 0) + LEADING * len(self.lines)


def strip(rows: list[list[Value]], path: Path) -> None:
    """Write a PNG of the rows: pictures side by side, enlarged with their pixels visible.

    A text or a record stands under the picture before it; without one, it has a cell of its own.
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
    """SIDE pixels at its longest side: whole multiples keep their pixels sharp."""
    scale = SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.convert("RGB").resize(
        size, Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
    )


def _wrapped(value: Value) -> Iterator[str]:
    """The lines of a text or a record, as wide as a picture; a longer word stands alone."""
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
