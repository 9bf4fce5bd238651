"""Cached arrays of different sizes on disk, memory-mapped: the source of crops of large signals.

`NAME-FINGERPRINT.raw` has the concatenated values, `NAME-FINGERPRINT.npy` the shapes and an empty array of
the dtype. The latter is written last and renamed atomically, so a file of that name is complete. A signal is
mapped when it is read and not longer, as in `cache.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadFolder, WorkFailed
from modaloom.data.atomic_io import make_folder, new_file
from modaloom.data.cache import Rows, remove


@dataclass(frozen=True)
class RaggedArray:
    """One stream of n samples."""

    path: Path
    """All values, one signal after another."""
    dtype: np.dtype[Any]
    shapes: NDArray[np.int64]
    """(n, dimensions); zeros where a sample lacks the stream."""
    starts: NDArray[np.int64]
    """(n,), offset of each sample in the file, in values."""

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n,), True where the sample has the stream."""
        return np.asarray(self.shapes.all(1))

    @property
    def array(self) -> Self:
        """The signals by row, as those of a `CachedArray`."""
        return self

    @property
    def most(self) -> int:
        """The number of values of the largest signal."""
        return int(self.shapes.prod(1).max())

    def __getitem__(self, row: int) -> NDArray[Any]:
        """The signal of a sample that has the stream, read-only, a new memory map."""
        start = int(self.starts[row]) * self.dtype.itemsize
        return np.memmap(self.path, self.dtype, "r", start, tuple(self.shapes[row].tolist()))


def open_ragged(folder: Path, name: str, fingerprint: str, n: int, rows: Callable[[], Rows]) -> RaggedArray:
    """Open a cache of arrays of different sizes, writing it first if it does not exist.

    Args:
        folder: where caches lie; made if missing.
        name: of the stream.
        fingerprint: of its sources, see `cache.fingerprint`.
        n: number of samples.
        rows: makes the n rows, arrays of one dtype and number of axes; None where absent.

    Returns:
        The memory-mapped rows.

    Raises:
        BadFolder: if no row is present.
        WorkFailed: if it cannot be written.
    """
    shapes = folder / f"{name}-{fingerprint}.npy"
    try:
        return _open(shapes, n)
    except (OSError, ValueError, EOFError):  # missing or damaged
        pass
    try:
        make_folder(folder)
        remove(folder, name)
        _write(shapes, n, rows())
    except OSError as error:
        raise WorkFailed(f"cannot write {error.filename or shapes} ({error.strerror})") from error
    return _open(shapes, n)


def read_ragged(path: Path) -> RaggedArray:
    """Open a cache that is there. Raises `OSError`, `ValueError`."""
    with path.open("rb") as file:
        shapes, dtype = np.load(file), np.load(file).dtype
    ends, values = shapes.prod(1).cumsum(), path.with_suffix(".raw")
    if ends[-1] * dtype.itemsize != values.stat().st_size:
        raise ValueError(f"{path} does not fit its values")
    return RaggedArray(values, dtype, shapes, ends - shapes.prod(1))


def _open(path: Path, n: int) -> RaggedArray:
    found = read_ragged(path)
    if len(found.shapes) != n:
        raise ValueError(f"{path} has {len(found.shapes)} values, not {n}")
    return found


def _write(path: Path, n: int, rows: Rows) -> None:
    shapes: NDArray[np.int64] | None = None
    dtypes: set[np.dtype[Any]] = set()
    with new_file(path.with_suffix(".raw")) as file:
        for i, row in zip(range(n), rows, strict=True):
            if row is not None:
                shapes = np.zeros((n, row.ndim), np.int64) if shapes is None else shapes
                shapes[i] = row.shape
                dtypes.add(row.dtype)
                file.write(row.tobytes())
        if shapes is None:
            raise BadFolder(f"no sample has values for {path.stem}; check the folder with `modaloom inspect`")
    (dtype,) = dtypes
    with new_file(path) as file:
        np.save(file, shapes)
        np.save(file, np.zeros(0, dtype))
