"""Archives of arrays whose rows belong together: `train_images, train_labels, val_images, …` in one .npz."""

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadFile, bounded, short
from modaloom.data.cells import missing_cells, typed
from modaloom.data.layout import SPLIT
from modaloom.modalities import MODALITIES
from modaloom.modalities.base import Value

SUFFIX = ".npz"
MAX_BYTES = 2**31
MAX_COLUMNS = 64
"""Numbers of a row that make a record."""
NUM_CACHED = 8
"""Arrays that are kept in memory."""


@dataclass(frozen=True)
class ArrayRow:
    """One row of an array in an archive, as the source of a picture."""

    path: Path
    member: str
    row: int
    modality: str
    channels: int

    def read(self) -> Value:
        """The row as a picture of its modality. Raises `BadFile`."""
        pixels = _array(self.path, self.path.stat().st_mtime_ns, self.member)[self.row]
        bands = pixels[..., None] if pixels.ndim == 2 else pixels
        whole = np.broadcast_to(bands, (*bands.shape[:2], self.channels))
        return MODALITIES[self.modality].signal.from_array(whole.transpose(2, 0, 1), {})


@dataclass(frozen=True)
class Column:
    """An array whose rows are values of one stream."""

    split: str
    """Empty if its name says none."""
    stream: str
    modality: str
    values: Sequence[Any]
    """Sources: rows of pictures, or literal records and texts; None where there is none."""
    problems: Sequence[str] = ()
    """What is left out."""
    remarks: Sequence[str] = ()
    """What counts as missing."""


def is_archive(path: Path) -> bool:
    """Whether a file holds several arrays."""
    try:
        with zipfile.ZipFile(path) as archive:
            return path.suffix.lower() == SUFFIX and len(archive.namelist()) > 1
    except (OSError, zipfile.BadZipFile):
        return False


def read_archive(path: Path) -> Iterator[Column | str]:
    """The columns of an archive, and what of it is left out. Raises `BadFile`."""
    with zipfile.ZipFile(path) as archive:
        sizes = {one.filename.removesuffix(".npy"): one.file_size for one in archive.infolist()}
    if large := [name for name, size in sizes.items() if size > MAX_BYTES]:
        raise BadFile(path, f"has arrays of more than {MAX_BYTES // 2**30} GiB: {bounded(large)}")
    lengths: dict[str, int] = {}
    for member in sizes:
        prefix, _, rest = member.partition("_")
        split = prefix if SPLIT.fullmatch(prefix) else ""
        array = _array(path, path.stat().st_mtime_ns, member)
        if array.ndim == 0 or lengths.setdefault(split, len(array)) != len(array):
            yield f"array {short(member)} has shape {list(array.shape)}, and others {lengths.get(split)} rows"
            continue
        column = _column(path, member, split, rest if split else member, array)
        yield (
            column or f"array {short(member)} of shape {list(array.shape)} and type {array.dtype} is not read"
        )


def _column(path: Path, member: str, split: str, stream: str, array: NDArray[Any]) -> Column | None:
    n, flat = len(array), array.reshape(len(array), -1) if len(array) else array
    stream = re.sub(r"s$", "", stream) if stream in ("images", "labels", "texts", "captions") else stream
    if array.ndim in (3, 4):
        channels = array.shape[3] if array.ndim == 4 else 1
        is_image = array.dtype == np.uint8 and channels in (1, 3)
        kind = ("image", 3) if is_image else ("raster", channels)
        return Column(split, stream, kind[0], [ArrayRow(path, member, i, *kind) for i in range(n)])
    if array.ndim <= 2 and array.dtype.kind == "U" and flat.shape[1:] in ((), (1,)):
        return Column(split, stream, "text", [str(one) for one in flat.reshape(-1)])
    if array.ndim <= 2 and array.dtype.kind in "biuf" and flat.ndim == 2 and flat.shape[1] <= MAX_COLUMNS:
        names = [stream] if flat.shape[1] == 1 else [f"{stream}_{i}" for i in range(flat.shape[1])]
        return _records(split, stream, dict(zip(names, flat.T.tolist())), member)
    return None


def _records(split: str, stream: str, raw: Mapping[str, Sequence[Any]], member: str) -> Column:
    columns = {name: typed(name, values) for name, values in raw.items()}
    rows = (dict(zip(columns, row)) for row in zip(*(column.cells for column in columns.values())))
    left = [problem for n, c in columns.items() for problem in c.problems(n, lambda i: f"{member}, row {i}")]
    values = [{name: cell for name, cell in row.items() if cell is not None} or None for row in rows]
    return Column(split, stream, "record", values, left, [*missing_cells(columns)])


@lru_cache(maxsize=NUM_CACHED)
def _array(path: Path, changed: int, member: str) -> NDArray[Any]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            found: NDArray[Any] = archive[member]
            return found
    except Exception as error:  # zip, header, pickle
        raise BadFile(path, f"array {short(member)} cannot be read ({short(str(error))})") from error
