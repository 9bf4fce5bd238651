"""A long array that comes in pieces, as windows at places that do not depend on the pieces."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Window:
    """A part of an array, and what is around it."""

    array: NDArray[Any]
    """The part, after `before` positions of context; what follows it is context, too."""
    before: int
    own: int
    """Positions of the part itself."""


def windows(pieces: Iterable[NDArray[Any]], size: int, halo: int = 0, *, axis: int = -1) -> Iterator[Window]:
    """Pieces of an array along an axis → its parts of `size` positions, the last one of what is left.

    Args:
        pieces: of any lengths; as many are kept as a window needs.
        size: positions of a part, at least 1.
        halo: positions of context on both sides, where the array has as many.
        axis: along which the pieces follow one another.
    """
    rest = iter(pieces)
    kept, before = [*_until(rest, 1, axis)], 0
    while kept:
        kept += _until(rest, before + size + halo - sum(piece.shape[axis] for piece in kept), axis)
        array = kept[0] if len(kept) == 1 else np.concatenate(kept, axis)
        own = min(size, array.shape[axis] - before)
        if own <= 0:
            return
        yield Window(_cut(array, 0, before + size + halo, axis), before, own)
        first = max(0, before + size - halo)
        kept, before = [_cut(array, first, None, axis)], before + size - first


def _until(pieces: Iterator[NDArray[Any]], enough: int, axis: int) -> Iterator[NDArray[Any]]:
    """The next pieces, until they have enough positions."""
    while enough > 0 and (piece := next(pieces, None)) is not None:
        enough -= piece.shape[axis]
        yield piece


def _cut(array: NDArray[Any], first: int, end: int | None, axis: int) -> NDArray[Any]:
    place = [slice(None)] * array.ndim
    place[axis] = slice(first, end)
    return array[tuple(place)]
