"""Arrays of different sizes on disk, memory-mapped, made once: what crops of large signals are cut from.

`NAME-FINGERPRINT.raw` holds their bytes one after the other, `NAME-FINGERPRINT.npy` their shapes; the latter
appears last and whole, so a file of that name is complete.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadFolder, WorkFailed
from modaloom.data.cache import Rows, remove, replacing


@dataclass(frozen=True)
class Ragged:
    """One stream of n samples."""

    values: NDArray[np.uint8]
    """Memory-mapped, read-only."""
    shapes: NDArray[np.int64]
    """(n, dimensions); zeros where a sample lacks the stream."""
    starts: NDArray[np.int64]
    """(n,)."""

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n,)."""
        return np.asarray(self.shapes.all(1))

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        shape = self.shapes[row]
        start = int(self.starts[row])
        return self.values[start : start + math.prod(shape)].reshape(shape)


def ragged(folder: Path, name: str, fingerprint: str, n: int, rows: Callable[[], Rows]) -> Ragged:
    """The cache of this name and fingerprint in `folder`; written from the n rows (None: absent) if need be.

    Rows are uint8 arrays of equally many axes. Raises `BadFolder` if none is present, `WorkFailed` if it
    cannot be written.
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


def _open(path: Path, n: int) -> Ragged:
    shapes = np.load(path)
    ends = shapes.prod(1).cumsum()
    values = np.memmap(path.with_suffix(".raw"), np.uint8, "r")
    if len(shapes) != n or ends[-1] != len(values):
        raise ValueError(f"{path} does not fit its values")
    return Ragged(values, shapes, ends - shapes.prod(1))


def _write(path: Path, n: int, rows: Rows) -> None:
    found: list[tuple[int, ...] | None] = []
    with replacing(path.with_suffix(".raw")) as file:
        for _, row in zip(range(n), rows, strict=True):
            found.append(None if row is None else row.shape)
            if row is not None:
                file.write(row.tobytes())
        if not any(found):
            raise BadFolder(f"no sample has what {path.stem} is made of; look at it with `modaloom inspect`")
    axes = max(len(shape) for shape in found if shape)
    with replacing(path) as file:
        np.save(file, np.array([shape or (0,) * axes for shape in found], np.int64))
