"""Parts of a value that can be hidden from a model: patches, stretches of time, words, columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from modaloom.core.types import CodeShape

MAX_STRETCHES, MAX_SIDE = 32, 8
"""Most parts along the one axis that is divided, and along each of two."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, as fractions of a picture's sides."""


@dataclass(frozen=True, eq=False)
class Part:
    """Some positions of a value's codes."""

    name: str
    """A word, a column, or where it is."""
    positions: Tensor
    """bool (L,)."""
    box: Box | None = None
    """Where it is in the value's picture (`Modality.picture`); None: nowhere."""


def divided(size: int, most: int) -> list[tuple[int, int]]:
    """Start and end of at most so many stretches of a size, as equal as whole numbers allow."""
    n = min(size, most)
    edges = [i * size // n for i in range(n + 1)] if n else []
    return [*pairwise(edges)]


def within(start: int, end: int, size: int) -> Tensor:
    """bool (size,): True from start to end."""
    place = torch.arange(size)
    return (start <= place) & (place < end)


def stretches(codes: Tensor, shape: CodeShape, step: float = 1.0) -> list[Part]:
    """Stretches of the first axis, up to the end of the value, named by where they start and end.

    Args:
        codes: int64 (L, Q).
        shape: theirs.
        step: units of the axis for each of its indices.
    """
    size = shape.row_size
    rows = int((codes[:, 0] != shape.padding).sum()) // size
    return [
        Part(
            f"{start * step:g}–{end * step:g}",
            within(start * size, end * size, len(codes)),
            (start / rows, 0.0, end / rows, 1.0),
        )
        for start, end in divided(rows, MAX_STRETCHES)
    ]


def patches(grid: Sequence[int], sides: Sequence[int], content: Sequence[int]) -> list[Part]:
    """Patches of a picture, row by row.

    Args:
        grid: rows and columns of its codes.
        sides: height and width that they are of.
        content: height and width of the picture in the middle of that.
    """
    rows, columns = (divided(size, MAX_SIDE) for size in grid)
    return [
        Part(
            f"row {i}, column {j}",
            (within(*row, grid[0])[:, None] & within(*column, grid[1])).flatten(),
            _box(row, column, grid, sides, content),
        )
        for i, row in enumerate(rows, 1)
        for j, column in enumerate(columns, 1)
    ]


def _box(
    row: tuple[int, int],
    column: tuple[int, int],
    grid: Sequence[int],
    sides: Sequence[int],
    content: Sequence[int],
) -> Box:
    top, bottom = (_fraction(end / grid[0], sides[0], content[0]) for end in row)
    left, right = (_fraction(end / grid[1], sides[1], content[1]) for end in column)
    return left, top, right, bottom


def _fraction(place: float, side: int, content: int) -> float:
    """A place in a padded side, as a fraction of the content in its middle."""
    return min(1.0, max(0.0, (place * side - (side - content) // 2) / content))
