"""`metadata.csv` and `metadata.jsonl`: rows that refer to files and contain further streams as text."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadFile, short
from modaloom.modalities.files import read_text

FILE = "file_name"
DELIMITERS = ",;\t|"
"""What separates columns: as spreadsheets write them, in any language."""
MAX_BYTES = 2**30


@dataclass(frozen=True)
class MetadataRow:
    """One row: the files and text values of one sample."""

    line: int
    """1-based line number."""
    files: Mapping[str, str]
    """Stream ("": taken from the file name) → path relative to the metadata file's folder."""
    values: Mapping[str, str]
    """Column → text; empty cells are left out."""


def read_metadata(path: Path) -> Iterator[MetadataRow]:
    """The rows of a table. Raises `BadFile`."""
    text = read_text(path, limit=MAX_BYTES)
    lines = _csv(path, text) if path.suffix == ".csv" else _jsonl(path, text)
    for number, cells in lines:
        filled = {name: _text(cell) for name, cell in cells.items() if cell not in ("", None)}
        named = [name for name in filled if name == FILE or name.endswith(f"_{FILE}")]
        files = {name.removesuffix(FILE).removesuffix("_"): filled.pop(name) for name in named}
        yield MetadataRow(number, files, filled)


def _text(cell: Any) -> str:
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


def _csv(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    delimiter = _delimiter(path, text)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        for cells in reader:
            if None in cells or None in cells.values():
                columns = len(reader.fieldnames or ())
                raise BadFile(path, f"line {reader.line_num} does not have {columns} columns")
            yield reader.line_num, cells
    except csv.Error as error:
        raise BadFile(path, f"is not CSV after line {reader.line_num} ({error})") from error


def _delimiter(path: Path, text: str) -> str:
    """The delimiter by which the header has a column of files. Raises `BadFile` if none does."""
    for delimiter in DELIMITERS:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        if any(name == FILE or name.endswith(f"_{FILE}") for name in header):
            return delimiter
    line = short(text.partition("\n")[0])
    raise BadFile(
        path, f"has no column {FILE} or NAME_{FILE} in its first line {line}; one of them names the files"
    )


def _jsonl(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadFile(path, f"line {number} is not JSON ({error})") from error
        if not isinstance(cells, dict):
            raise BadFile(path, f"line {number} is not a JSON object")
        yield number, cells
