"""Cells of a column → values of one type, alike for every format; what fits the type of its column is named.

A column is one of truth values, of numbers, or of texts, by how its cells are written: CSV has no other
types, and columns of several types in JSON lines are written out. If all numbers of a column are whole, they
are integers, however they are written (7, 7.0). NaN is missing, which is told; an infinity is no value.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from decimal import Decimal
from typing import Any

from modaloom.core.errors import MAX_NAMED, bounded, short
from modaloom.modalities.files import File
from modaloom.modalities.table_file import TableFile

Scalar = str | int | float | bool
Cell = Scalar | Sequence[str] | Mapping[str, Scalar] | TableFile
"""A text, a number, a truth value, several texts of one thing, a record, or a file."""
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?"})
"""Cells of a column of numbers or truth values that have no value, in lower case."""
TRUTHS = {"true": True, "false": False}
NUMBER = re.compile(r"[+-]?(?:(0|[1-9]\d*|(?=\.\d))(\.\d*)?([eE][+-]?\d+)?|(?i:inf(inity)?))")
"""Not those that begin with a needless 0: they are identifiers."""
DECIMAL_COMMA = re.compile(r"[+-]?(0|[1-9]\d*),\d+")
MOST_NUMBERS = 0.9
"""Share of a column's cells that must be numbers for it to be one of numbers."""
LARGEST, MAX_DIGITS = 1e300, 300
EXACT = 2**53
"""Up to which floats are whole numbers exactly."""


@dataclass(frozen=True)
class Typed:
    """A column."""

    cells: Sequence[Cell | None]
    """None where there is none."""
    texts: Sequence[str]
    """As they are written, stripped, whole numbers as integers; empty where there is none. None of files."""
    odd: Sequence[tuple[int, str]] = ()
    """(Row from 0, what is wrong with its cell), of those that are left out."""
    missing: Mapping[str, int] = field(default_factory=Counter)
    """What counts as missing, as it is written → how often; without empty cells."""
    refused: str = ""
    """Why the whole column is left out."""

    @property
    def has_texts(self) -> bool:
        """Whether its cells are written in the file: not those of files."""
        return not self.refused and len(self.texts) == len(self.cells)

    def problems(self, name: str, place: Callable[[int], str]) -> Iterator[str]:
        """What is left out of the column of this name, the first cells by their place (row → in words)."""
        if self.refused:
            yield self.refused
        for row, reason in self.odd[:MAX_NAMED]:
            yield f"{place(row)}: {reason}"
        if (more := len(self.odd) - MAX_NAMED) > 0:
            yield f"{more:,} more cells of {short(name)} are no finite numbers"


def missing_cells(columns: Mapping[str, Typed]) -> Iterator[str]:
    """What counts as missing in columns by name, though it is no empty cell: at most one sentence."""
    found = [
        f"{mark} in {count:,} of {short(name)}"
        for name, column in columns.items()
        for mark, count in column.missing.items()
    ]
    if found:
        yield f"counts as missing: {bounded(found)}"


def typed(name: str, raw: Sequence[Any], *, comma: bool = False, strings: bool = False) -> Typed:
    """Type a column.

    Args:
        name: its title, for messages.
        raw: texts as they are written, or values of a format that has types; None where there is none.
        comma: whether numbers may have a decimal comma.
        strings: whether a column of strings alone stays one of texts, whatever they say.
    """
    raw = [str(value) if isinstance(value, date | time | Decimal) else value for value in raw]
    values = [value for value in raw if value is not None]
    if odd := next((value for value in values if not _is_read(value)), None):
        return Typed([], [], refused=f"column {short(name)} holds {type(odd).__name__}s, which are not read")
    if values and all(isinstance(value, dict) for value in values):
        return _records(name, raw)
    if any(isinstance(value, dict) for value in values):
        return Typed(
            [], [], refused=f"column {short(name)} holds records and other values, which are not read"
        )
    if any(isinstance(value, File) for value in values):
        return Typed(raw, [])
    found = _texts(raw)
    if any(isinstance(value, list) for value in values):
        return replace(
            found, cells=[tuple(v) if isinstance(v, list) else t for v, t in zip(raw, found.cells)]
        )
    if strings and all(isinstance(value, str) for value in values):
        return found
    read = [_point(text) for text in found.texts] if comma else found.texts
    return _truths(found, read) or _numbers(name, found, read) or found


def _is_read(value: Any) -> bool:
    """Whether a cell is a value, a list of texts, or a record."""
    texts = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
    record = isinstance(value, dict) and all(one is None or isinstance(one, Scalar) for one in value.values())
    return bool(texts) or record or isinstance(value, Scalar | File)


def _texts(raw: Sequence[Any]) -> Typed:
    texts = [_text(value) for value in raw]
    nan = sum(isinstance(value, float) and math.isnan(value) for value in raw)
    return Typed([text or None for text in texts], texts, missing=Counter({"NaN": nan} if nan else {}))


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _point(text: str) -> str:
    return text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text


def _is_missing(text: str) -> bool:
    return text.lower() in MISSING


def _truths(column: Typed, read: Sequence[str]) -> Typed | None:
    """Truth values; None unless all are."""
    present = [text for text in read if not _is_missing(text)]
    if not present or any(text.lower() not in TRUTHS for text in present):
        return None
    return Typed([TRUTHS.get(text.lower()) for text in read], column.texts, missing=_marks(column, read))


def _numbers(name: str, column: Typed, read: Sequence[str]) -> Typed | None:
    """Numbers; None unless most are."""
    numbers = [_number(text) for text in read]
    present = sum(not _is_missing(text) for text in read)
    if sum(number is not None for number in numbers) < max(1, MOST_NUMBERS * present):
        return None
    odd = [
        (i, f"{short(name)} is {short(text)}, no {'number' if number is None else 'finite number'}")
        for i, (text, number) in enumerate(zip(column.texts, numbers))
        if not (_is_missing(text) if number is None else _is_finite(number))
    ]
    cells = _of_one_type([None if one is None or not _is_finite(one) else one for one in numbers])
    texts = [str(c) if isinstance(c, int) else text for c, text in zip(cells, column.texts)]
    return Typed(cells, texts, odd, _marks(column, read))


def _marks(column: Typed, read: Sequence[str]) -> Counter[str]:
    return Counter(column.missing) + Counter(text for text in read if text and _is_missing(text))


def _number(text: str) -> int | float | None:
    """A number, infinite where it is too large; None if it is none."""
    if not NUMBER.fullmatch(text):
        return None
    return int(text) if len(text) < MAX_DIGITS and text.lstrip("+-").isdecimal() else float(text)


def _is_finite(number: int | float) -> bool:
    return abs(number) <= LARGEST


def _of_one_type(numbers: Sequence[int | float | None]) -> list[int | float | None]:
    """Integers, if all numbers are whole; else floats, where they hold them."""
    whole = all(n is None or isinstance(n, int) or (n.is_integer() and abs(n) <= EXACT) for n in numbers)
    kind = int if whole else float
    return [n if n is None or (isinstance(n, int) and abs(n) > EXACT) else kind(n) for n in numbers]


def _records(name: str, raw: Sequence[Mapping[str, Any] | None]) -> Typed:
    """Records, each field of them a column."""
    rows = [row or {} for row in raw]
    fields = dict.fromkeys(field for row in rows for field in row)
    columns = {f: typed(f"{name}.{f}", [row.get(f) for row in rows], strings=True) for f in fields}
    cells_of: dict[str, Sequence[Any]] = {name: column.cells for name, column in columns.items()}
    cells: list[Cell | None] = [
        {f: column[i] for f, column in cells_of.items() if column[i] is not None} or None
        for i in range(len(rows))
    ]
    odd = sorted((one for column in columns.values() for one in column.odd), key=lambda one: one[0])
    missing = sum((Counter(column.missing) for column in columns.values()), Counter[str]())
    return Typed(cells, [_text(row) for row in raw], odd, missing)
