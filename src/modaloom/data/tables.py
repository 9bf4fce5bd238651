"""Tables of any usual kind: CSV, TSV, JSON lines, Parquet → columns of typed cells."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from modaloom.core.errors import MAX_NAMED, BadFile, short
from modaloom.core.json_text import from_json
from modaloom.data.cells import Cell, missing_cells, typed
from modaloom.data.parquet import read_parquet
from modaloom.modalities.files import read_text

DELIMITERS = ",;\t|"
"""What separates columns: as spreadsheets write them, in any language."""
MAX_BYTES = 2**30
MOST_RAGGED = 0.1
"""Share of lines of another length than the title that are left out; more are no table."""
Line = tuple[int, list[str]]
"""Its number, and its cells."""
SNIFFED = 50
"""Rows from which the delimiter is told."""


@dataclass(frozen=True)
class Table:
    """A table in memory."""

    path: Path
    lines: Sequence[int]
    """Of each row, 1-based."""
    texts: Mapping[str, Sequence[str]]
    """Column, but of files → cells as they are written, stripped; empty where there is none."""
    cells: Mapping[str, Sequence[Cell | None]]
    """Column → typed cells; None where there is none."""
    problems: Sequence[str] = ()
    """Cells that are left out."""
    titled: bool = True
    """Whether the columns have names in the file."""
    remarks: Sequence[str] = ()
    """What counts as missing though it is no empty cell."""


@dataclass
class _Rows:
    """What a format yields: names of columns, and rows by line."""

    names: Sequence[str]
    rows: Sequence[tuple[int, Mapping[str, Any]]]
    titled: bool = True
    delimiter: str = ""
    problems: list[str] = field(default_factory=list)


def read_table(path: Path, is_named: Callable[[str], bool] = lambda cell: False) -> Table:
    """Read a table.

    Args:
        path: a file that ends in one of `FORMATS`.
        is_named: whether a cell names a file or a sample: a first line that does is no title.

    Raises:
        BadFile: it is not what its suffix says, has no rows, or many rows of another length than its title.
    """
    found = FORMATS[path.suffix.lower()](path, is_named)
    if not found.rows:
        raise BadFile(path, "has no rows")
    if len({*found.names}) < len(found.names):
        twice = next(name for name in found.names if list(found.names).count(name) > 1)
        raise BadFile(path, f"has two columns {short(twice)}; rename one")
    comma = found.delimiter not in ("", ",")
    columns = {
        name: typed(name, [row.get(name) for _, row in found.rows], comma=comma) for name in found.names
    }
    for name, column in columns.items():
        found.problems += column.problems(name, lambda row: f"line {found.rows[row][0]}")
    return Table(
        path,
        [line for line, _ in found.rows],
        {name: one.texts for name, one in columns.items() if one.has_texts},
        {name: one.cells for name, one in columns.items() if not one.refused},
        found.problems,
        found.titled,
        [*missing_cells(columns)],
    )


def _separated(path: Path, is_named: Callable[[str], bool], delimiters: str) -> _Rows:
    text = read_text(path, limit=MAX_BYTES)
    delimiter = max(delimiters, key=lambda d: (*_evidence(text, d), -delimiters.index(d)))
    first = next(_sample(text, delimiter), [])
    titled = not any(is_named(cell.strip()) for cell in first)
    names = [name.strip() for name in first] if titled else _untitled(len(first))
    rows = _unquoted_if_better(path, text, delimiter, len(names))[titled:]
    whole = [(n, dict(zip(names, cells))) for n, cells in rows if len(cells) == len(names)]
    return _Rows(names, whole, titled, delimiter, [*_ragged(path, rows, len(names))])


def _unquoted_if_better(path: Path, text: str, delimiter: str, columns: int) -> list[Line]:
    """The lines, with quotes as a part of the text where rows are of one length then, and only then."""
    try:
        rows = [*_lines(path, text, delimiter, csv.QUOTE_MINIMAL)]
    except BadFile:
        if delimiter == ",":
            raise
        return [*_lines(path, text, delimiter, csv.QUOTE_NONE)]
    if delimiter == "," or all(len(cells) == columns for _, cells in rows):
        return rows
    plain = [*_lines(path, text, delimiter, csv.QUOTE_NONE)]
    return plain if all(len(cells) == columns for _, cells in plain) else rows


def _ragged(path: Path, rows: Sequence[Line], columns: int) -> Iterator[str]:
    """The first lines that are left out, and how many more. Raises `BadFile` where they are many."""
    odd = [
        f"line {n} has {len(cells)} columns instead of {columns}"
        for n, cells in rows
        if len(cells) != columns
    ]
    if len(odd) > MOST_RAGGED * len(rows):
        raise BadFile(
            path, f"{odd[0]}; {len(odd):,} of {len(rows):,} lines have other columns than the first"
        )
    yield from odd[:MAX_NAMED]
    if (more := len(odd) - MAX_NAMED) > 0:
        yield f"{more:,} more lines have other numbers of columns"


def _sample(text: str, delimiter: str) -> Iterator[list[str]]:
    """The first rows, read leniently."""
    return islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), SNIFFED)


def _evidence(text: str, delimiter: str) -> tuple[bool, int]:
    """Whether a delimiter gives rows of one length above 1, and the length of the first."""
    try:
        lengths = [len(row) for row in _sample(text, delimiter) if row]
    except csv.Error:
        return False, 0
    return len({*lengths}) == 1 and lengths[0] > 1, lengths[0] if lengths else 0


def _untitled(columns: int) -> list[str]:
    """key, text, text_2, …: a list of files with transcriptions, without a title."""
    return ["key", "text", *(f"text_{i}" for i in range(2, columns))][:columns]


def _lines(path: Path, text: str, delimiter: str, quoting: int) -> Iterator[Line]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        strict=quoting != csv.QUOTE_NONE,
        delimiter=delimiter,
        quoting=quoting,  # type: ignore[arg-type]
    )
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise BadFile(path, f"is not CSV after line {reader.line_num} ({error})") from error


def _jsonl(path: Path, is_named: Callable[[str], bool]) -> _Rows:
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for number, line in enumerate(read_text(path, limit=MAX_BYTES).split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = from_json(line)
        except ValueError as error:
            raise BadFile(path, f"line {number} is not JSON ({error})") from error
        if not isinstance(cells, dict):
            raise BadFile(path, f"line {number} is not a JSON object")
        rows.append((number, cells))
    return _Rows([*dict.fromkeys(name for _, cells in rows for name in cells)], rows)


def _parquet(path: Path, is_named: Callable[[str], bool]) -> _Rows:
    found = read_parquet(path)
    return _Rows(found.names, [*enumerate(found.rows, 1)], problems=[*found.problems])


FORMATS: Mapping[str, Callable[[Path, Callable[[str], bool]], _Rows]] = {
    ".csv": lambda path, is_named: _separated(path, is_named, DELIMITERS),
    ".tsv": lambda path, is_named: _separated(path, is_named, "\t"),
    ".jsonl": _jsonl,
    ".parquet": _parquet,
}
"""Suffix → reader."""
