"""Tables of any usual kind: CSV, TSV, JSON lines, Parquet → columns of typed cells."""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from modaloom.core.errors import MAX_NAMED, BadFile, short
from modaloom.core.json_text import from_json
from modaloom.data.parquet import read_parquet
from modaloom.modalities.files import File, read_text
from modaloom.modalities.table_file import TableFile

Scalar = str | int | float | bool
Cell = Scalar | Sequence[str] | Mapping[str, Scalar] | TableFile
"""A text, a number, a truth value, several texts of one thing, a record, or a file."""
DELIMITERS = ",;\t|"
"""What separates columns: as spreadsheets write them, in any language."""
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
"""Cells of a column of numbers that have no value, in lower case."""
TRUTHS = {"true": True, "false": False}
NUMBER = re.compile(r"[+-]?(0|[1-9]\d*|(?=\.))(\.\d*)?([eE][+-]?\d+)?")
"""Not those that begin with a needless 0: they are identifiers."""
DECIMAL_COMMA = re.compile(r"[+-]?(0|[1-9]\d*),\d+")
MOST_NUMBERS = 0.9
"""Share of a column's cells that must be numbers for it to be one of numbers."""
MAX_BYTES = 2**30
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
        BadFile: it is not what its suffix says, has no rows, or has rows of another length than its title.
    """
    found = FORMATS[path.suffix.lower()](path, is_named)
    if len({*found.names}) < len(found.names):
        twice = next(name for name in found.names if list(found.names).count(name) > 1)
        raise BadFile(path, f"has two columns {short(twice)}; rename one")
    texts, cells = dict[str, Sequence[str]](), dict[str, Sequence[Cell | None]]()
    for name in found.names:
        raw = [row.get(name) for _, row in found.rows]
        if nested := next((one for one in raw if _is_nested(one)), None):
            found.problems.append(f"column {short(name)} holds {type(nested).__name__}s, which are not read")
            continue
        if any(isinstance(value, File) for value in raw):
            cells[name] = raw
            continue
        texts[name] = [_text(value).strip() for value in raw]
        cells[name] = _typed(raw, texts[name], found, name)
    return Table(path, [line for line, _ in found.rows], texts, cells, found.problems, found.titled)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _typed(raw: Sequence[Any], texts: Sequence[str], found: _Rows, name: str) -> list[Cell | None]:
    if any(value is not None and not isinstance(value, str) for value in raw):
        return [_value(value) for value in raw]
    if found.delimiter and found.delimiter != ",":
        texts = [text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text for text in texts]
    present = [text for text in texts if text.lower() not in MISSING]
    if present and all(text.lower() in TRUTHS for text in present):
        return [TRUTHS.get(text.lower()) for text in texts]
    numbers = [_number(text) for text in texts]
    known = sum(number is not None for number in numbers)
    if not known or known < MOST_NUMBERS * len(present):
        return [value or None for value in raw]
    odd = [
        f"line {line}: {short(name)} is {short(text)}, no number"
        for (line, _), text, number in zip(found.rows, texts, numbers)
        if number is None and text.lower() not in MISSING
    ]
    found.problems += odd[:MAX_NAMED]
    if len(odd) > MAX_NAMED:
        found.problems.append(f"{len(odd) - MAX_NAMED:,} more cells of {short(name)} are no numbers")
    return [*numbers]


def _number(text: str) -> int | float | None:
    if not NUMBER.fullmatch(text) or text in (".", "+.", "-."):
        return None
    value = float(text) if re.search(r"[.eE]", text) else int(text)
    return value if abs(value) <= 1e300 else None


def _is_nested(value: Any) -> bool:
    """Whether a cell is neither a value nor a list of texts nor a record."""
    texts = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
    record = isinstance(value, dict) and all(one is None or isinstance(one, Scalar) for one in value.values())
    return not (texts or record or value is None or isinstance(value, Scalar | File))


def _value(value: Any) -> Cell | None:
    """A cell of a format that has types."""
    if isinstance(value, dict):
        return {name: one for name, cell in value.items() if (one := _scalar(cell)) is not None} or None
    return tuple(value) if isinstance(value, list) else _scalar(value)


def _scalar(value: Any) -> Scalar | None:
    if isinstance(value, bool | str) or value is None:
        return value or (None if value is not False else False)
    return None if math.isnan(value) or abs(value) > 1e300 else value


def _separated(path: Path, is_named: Callable[[str], bool], delimiters: str) -> _Rows:
    text = read_text(path, limit=MAX_BYTES)
    delimiter = max(delimiters, key=lambda d: (*_evidence(text, d), -delimiters.index(d)))
    first = next(_sample(text, delimiter), [])
    titled = not any(is_named(cell.strip()) for cell in first)
    names = [name.strip() for name in first] if titled else _untitled(len(first))
    try:
        rows = [*_lines(path, text, delimiter, len(names), csv.QUOTE_MINIMAL)]
    except BadFile:
        if delimiter == ",":
            raise
        rows = [*_lines(path, text, delimiter, len(names), csv.QUOTE_NONE)]
    return _Rows(names, [(n, dict(zip(names, cells))) for n, cells in rows[titled:]], titled, delimiter)


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


def _lines(
    path: Path, text: str, delimiter: str, columns: int, quoting: int
) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(
        io.StringIO(text, newline=""),
        strict=quoting != csv.QUOTE_NONE,
        delimiter=delimiter,
        quoting=quoting,  # type: ignore[arg-type]
    )
    try:
        for cells in reader:
            if len(cells) != columns and cells:
                raise BadFile(path, f"line {reader.line_num} does not have {columns} columns")
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
