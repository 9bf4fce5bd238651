"""Parquet → rows, also of files in cells, as Hugging Face's datasets write them: `bytes` and `path`."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from modaloom.core.errors import BadFile, short
from modaloom.data.names import parse_name
from modaloom.modalities.audio_format import SOUNDS
from modaloom.modalities.formats import HEAD, Magic, by_magic
from modaloom.modalities.table_file import TableFile

MAX_BYTES = 2**30
FILE = ["bytes", "path"]
"""Fields of a cell that holds a file."""
PICTURES: Magic = (
    *((0, b"\x89PNG", "png"), (0, b"\xff\xd8\xff", "jpg"), (0, b"GIF8", "gif"), (8, b"WEBP", "webp")),
    *((0, b"II*\0", "tif"), (0, b"MM\0*", "tif"), (0, b"BM", "bmp")),
)
"""(Offset, first bytes, suffix)."""


@dataclass(frozen=True)
class ParquetRows:
    """What a file holds."""

    names: Sequence[str]
    """Of columns."""
    rows: Sequence[Mapping[str, Any]]
    """Column → a cell of Python, or a `TableFile`."""
    problems: Sequence[str]


def read_parquet(path: Path) -> ParquetRows:
    """Raises `BadFile`."""
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise BadFile(path, "is Parquet, which needs pyarrow: pip install 'modaloom[tables]'") from None
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadFile(path, f"is larger than {MAX_BYTES // 2**20} MiB")
        with parquet.ParquetFile(path) as file:
            return _rows(path, file)
    except (OSError, ValueError, importlib.import_module("pyarrow").ArrowException) as error:
        if isinstance(error, BadFile):
            raise
        raise BadFile(path, f"is not Parquet ({short(str(error))})") from error


def _rows(path: Path, file: Any) -> ParquetRows:
    kinds = {field.name: field.type for field in file.schema_arrow}
    files = [name for name, kind in kinds.items() if _holds_files(kind)]
    binary = [name for name, kind in kinds.items() if "binary" in str(kind) and name not in files]
    plain = [name for name in kinds if name not in (*files, *binary)]
    rows: list[dict[str, Any]] = file.read(columns=plain).to_pylist() if plain else []
    rows = rows or [{} for _ in range(file.metadata.num_rows)]
    problems = [f"column {short(name)} holds bytes, which are not read" for name in binary]
    for name in files:
        cells, wrong = _known([*_cells(path, file, name)], name)
        problems += wrong
        for row, cell in zip(rows, cells, strict=True):
            row[name] = cell
    names = [name for name in file.schema_arrow.names if name not in binary]  # twice what is there twice
    return ParquetRows(names, rows, problems)


def _holds_files(kind: Any) -> bool:
    return sorted(kind.field(i).name for i in range(kind.num_fields)) == FILE


def _known(cells: Sequence[TableFile | str | None], column: str) -> tuple[Sequence[Any], list[str]]:
    """Cells that can be read, and what is wrong with others; paths alone name files that lie elsewhere."""
    files = [None if isinstance(cell, str) else cell for cell in cells]
    if not any(files):
        return cells, []
    paths = sum(isinstance(cell, str) for cell in cells)
    unknown = {file for file in files if file is not None and parse_name(file.name) is None}
    counts = {
        f"column {short(column)} holds {len(unknown):,} files of no known kind": unknown,
        f"column {short(column)} has {paths:,} paths without bytes, which are not read": paths,
    }
    known = [None if file in unknown else file for file in files]
    return known, [problem for problem, count in counts.items() if count]


def _cells(path: Path, file: Any, column: str) -> Iterator[TableFile | str | None]:
    """The files of a column, or their paths where it has no bytes; one row group is in memory."""
    compute = importlib.import_module("pyarrow.compute")
    for group in range(file.num_row_groups):
        cells = file.read_row_group(group, columns=[column]).column(0).combine_chunks()
        data = cells.field("bytes")
        facts = (cells.field("path"), compute.binary_length(data), compute.binary_slice(data, 0, HEAD))
        for row, (said, size, head) in enumerate(zip(*(one.to_pylist() for one in facts))):
            if size is None:
                yield said
            else:
                yield TableFile(path, column, group, row, _name(said, head, row), size)


def _name(said: str | None, head: bytes, row: int) -> str:
    """The name that a cell says, or one with a suffix by its content."""
    name = PurePosixPath((said or "").replace("\\", "/")).name
    return name if parse_name(name) is not None else f"{row}.{_suffix(head) or 'bin'}"


def _suffix(head: bytes) -> str | None:
    if picture := by_magic(head, PICTURES):
        return picture
    sound = SOUNDS.format_of(head, Path())
    return None if sound is None else SOUNDS.table[sound].suffixes[0]
