"""Arrays of different sizes on disk, memory-mapped, made once: what crops of large signals are cut from.

`NAME-FINGERPRINT.raw` holds their values one after the other, `NAME-FINGERPRINT.npy` their shapes and an
empty array of their type; the latter appears last and whole, so a file of that name is complete.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadFolder, WorkFailed
from modaloom.data.cache import Rows, remove, replacing


@dataclass(frozen=True)
class RaggedArray:
    """One stream of n samples."""

    values: NDArray[Any]
    """Memory-mapped, read-only."""
    shapes: NDArray[np.int64]
    """(n, dimensions); zeros where a sample lacks the stream."""
    starts: NDArray[np.int64]
    """(n,)."""

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n,)."""
        return np.asarray(self.shapes.all(1))

    def __getitem__(self, row: int) -> NDArray[Any]:
        shape = self.shapes[row]
        start = int(self.starts[row])
        return self.values[start : start + math.prod(shape)].reshape(shape)


def open_ragged(folder: Path, name: str, fingerprint: str, n: int, rows: Callable[[], Rows]) -> RaggedArray:
    """The cache of this name and fingerprint in `folder`; written from the n rows (None: absent) if need be.

    Rows are arrays of one type and of equally many axes. Raises `BadFolder` if none is present, `WorkFailed`
    if it cannot be written.
    """
    shapes = folder / f"{name}-{fingerprint}.npy"
    try:
        return _open(shapes, n)
    except (OSError, ValueError, EOFError):  # not there, or damaged
        pass
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove(folder, name)
        _write(shapes, n, rows())
    except OSError as error:
        raise WorkFailed(f"cannot write {error.filename or shapes} ({error.strerror})") from error
    return _open(shapes, n)


def _open(path: Path, n: int) -> RaggedArray:
    with path.open("rb") as file:
        shapes, dtype = np.load(file), np.load(file).dtype
    ends = shapes.prod(1).cumsum()
    values = np.memmap(path.with_suffix(".raw"), dtype, "r")
    if len(shapes) != n or ends[-1] != len(values):
        raise ValueError(f"{path} does not fit its values")
    return RaggedArray(values, shapes, ends - shapes.prod(1))


def _write(path: Path, n: int, rows: Rows) -> None:
    shapes: dict[int, tuple[int, ...]] = {}
    dtypes: dict[int, np.dtype[Any]] = {}
    with replacing(path.with_suffix(".raw")) as file:
        for i, row in zip(range(n), rows, strict=True):
            if row is not None:
                shapes[i], dtypes[i] = row.shape, row.dtype
                file.write(row.tobytes())
        if not shapes:
            raise BadFolder(f"no sample has what {path.stem} is made of; look at it with `modaloom inspect`")
    (dtype,) = {*dtypes.values()}
    found = np.zeros((n, len(shapes[min(shapes)])), np.int64)
    found[[*shapes]] = [*shapes.values()]
    with replacing(path) as file:
        np.save(file, found)
        np.save(file, np.zeros(0, dtype))
