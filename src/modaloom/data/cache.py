"""Cached arrays of values or codes on disk, memory-mapped, with a mask of the samples present.

A file is mapped for one reading and not longer: the pages that were read belong to the process as long as
the map exists, so that a map that is kept grows to the size of the file.

`NAME-FINGERPRINT.npy` is written last and renamed atomically, so a file of that name is complete; one with
another fingerprint replaces it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadFolder, WorkFailed
from modaloom.core.types import Sample
from modaloom.data.arrays import ArrayRow
from modaloom.data.atomic_io import NEW, make_folder, new_file
from modaloom.data.collected import Source
from modaloom.modalities.files import File

Rows = Iterable[NDArray[Any] | None]


@dataclass(frozen=True)
class CachedArray:
    """One stream of n samples."""

    open: Callable[[], NDArray[Any]]
    """Maps the file into memory."""
    present: NDArray[np.bool_]
    """(n,), True where the sample has the stream."""

    @property
    def most(self) -> int:
        """The number of values of a row."""
        return int(self.array[0].size)

    @property
    def array(self) -> NDArray[Any]:
        """(n, …), read-only, a new memory map at each access; zeros where absent."""
        return self.open()


def fingerprint(samples: Sequence[Sample], stream: str, *facts: Any) -> str:
    """A hash (16 hex digits) of the stream's sources (path, size, mtime; literals) and JSON-able facts."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for sample in samples:
        source = sample.streams.get(stream)
        digest.update(json.dumps([sample.key, source and str(source), *_stamp(source)]).encode())
    return digest.hexdigest()[:16]


def _stamp(source: Source | None) -> tuple[int, ...]:
    """Size and mtime; (0, 0) for a file that no longer exists, empty for a literal."""
    path = source.path if isinstance(source, ArrayRow) else source
    if not isinstance(path, File):
        return ()
    try:
        facts = path.stat()
    except OSError:
        return (0, 0)
    return facts.st_size, facts.st_mtime_ns


def open_cache(folder: Path, name: str, fingerprint: str, n: int, rows: Callable[[], Rows]) -> CachedArray:
    """Open a cache, writing it first if it does not exist.

    Args:
        folder: where caches lie; made if missing.
        name: of the stream.
        fingerprint: of its sources, see `fingerprint`.
        n: number of samples.
        rows: makes the n rows, arrays of one shape and dtype; None where absent.

    Returns:
        The memory-mapped rows.

    Raises:
        BadFolder: if no row is present.
        WorkFailed: if it cannot be written.
    """
    array = folder / f"{name}-{fingerprint}.npy"
    present = array.with_suffix(".present.npy")
    try:
        return _open(array, present, n)
    except (OSError, ValueError, EOFError):  # missing or damaged
        pass
    try:
        make_folder(folder)
        remove(folder, name)
        _write(array, present, n, rows())
    except OSError as error:
        raise WorkFailed(f"cannot write {error.filename or array} ({error.strerror})") from error
    return _open(array, present, n)


def _open(array: Path, present: Path, n: int) -> CachedArray:
    array = array.absolute()  # it is opened again later, perhaps from another working folder
    mapped, here = np.load(array, mmap_mode="r"), np.load(present)
    if not len(mapped) == len(here) == n:
        raise ValueError(f"{array} does not have {n} rows")
    return CachedArray(partial(np.memmap, array, mapped.dtype, "r", mapped.offset, mapped.shape), here)


def remove(folder: Path, name: str) -> None:
    """Delete the caches of this name with any fingerprint, and unfinished ones."""
    for prefix in ("", NEW):
        for old in folder.glob(f"{prefix}{name}-{'[0-9a-f]' * 16}.*"):
            old.unlink(missing_ok=True)


def _write(array: Path, present: Path, n: int, rows: Rows) -> None:
    with new_file(array) as file:
        mask = _write_rows(file, n, rows)
        if not mask.any():
            raise BadFolder(
                f"no sample has values for {array.stem}; check the folder with `modaloom inspect`"
            )
        with new_file(present) as other:
            np.save(other, mask)


def _write_rows(file: BinaryIO, n: int, rows: Rows) -> NDArray[np.bool_]:
    """Written as a plain file: with a memory map, a full disk would crash the process instead of raising."""
    mask, blank = np.zeros(n, np.bool_), None
    for i, row in zip(range(n), rows, strict=True):
        if row is not None and blank is None:
            blank = np.zeros_like(row)
            _write_header(file, (n, *row.shape), row.dtype)
            for _ in range(i):
                file.write(blank.tobytes())
        if blank is not None:
            filled = blank if row is None else row
            assert (filled.shape, filled.dtype) == (blank.shape, blank.dtype), "rows differ in shape or type"
            file.write(filled.tobytes())
        mask[i] = row is not None
    return mask


def _write_header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(file, header)
