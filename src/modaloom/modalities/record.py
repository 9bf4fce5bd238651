"""The record modality: table rows, dict of column name → number, str, bool or None (missing)."""

import html
import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modaloom.core.errors import BadFile, BadValue, check_range, shown
from modaloom.core.json_text import from_json
from modaloom.modalities.base import VALUE, DataSpec, Modality, Shortened
from modaloom.modalities.categorical_codec import CategoricalCodec
from modaloom.modalities.files import File, read_text

Scalar = float | int | str | bool | None
Record = dict[str, Scalar]

MAX_BYTES = 2**20
MAX_CATEGORIES = 255
SQUARED = 1e150
"""A number whose square is finite."""


@dataclass(frozen=True)
class RecordLimits:
    """Limits on the resolution of records."""

    max_bins: int = 32
    """Maximum number of quantile bins of a number, at least 1."""

    def __post_init__(self) -> None:
        check_range("max_bins", self.max_bins, 1)


"""The most common categories are kept; this bounds the vocabulary of identifier columns."""


def read(path: File) -> Record:
    """Reads a JSON object of numbers, strings, booleans and nulls. Raises `BadFile`."""
    try:
        return _record(read_text(path, limit=MAX_BYTES))
    except BadValue as error:
        raise BadFile(path, str(error)) from error


def coerce(value: object) -> Record:
    """Dict of columns, or a str with a JSON object or a path → record. Raises `BadValue` and `BadFile`."""
    if isinstance(value, str):
        return _record(value) if value.lstrip().startswith("{") else read(Path(value))
    if not isinstance(value, Mapping):
        raise BadValue(
            f"{shown(value)} is no record; give a dict of column → number, str, bool or None, or the Path of "
            "a .json file"
        )
    return _checked({name: _scalar(cell) for name, cell in value.items()})


def _scalar(cell: object) -> object:
    """Converts numpy scalars to Python's."""
    return cell.item() if isinstance(cell, np.generic) else cell


def _record(text: str) -> Record:
    try:
        row = from_json(text)
    except ValueError as error:
        raise BadValue(f"is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise BadValue(f"holds a JSON {type(row).__name__}; a record is an object of columns")
    return _checked(row)


def _checked(row: Mapping[Any, Any]) -> Record:
    for name, value in row.items():
        if not isinstance(name, str):
            raise BadValue(f"a column is named by {shown(name)}; give a str")
        if not (value is None or isinstance(value, str) or _is_finite(value)):
            raise BadValue(
                f"column {name!r} holds {shown(value)}; give a finite number, a word, a truth value or null"
            )
    return dict(row)


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= 1e300 and not math.isnan(value)


def write(row: Record, path: Path) -> None:
    """Writes one line of JSON with sorted column names."""
    path.write_bytes(f"{json.dumps(row, ensure_ascii=False, sort_keys=True, allow_nan=False)}\n".encode())


def infer_spec(rows: Iterable[Record], limits: RecordLimits) -> DataSpec:
    """Infers `columns`, the values of each column's slots 1, 2, … (slot 0 is missing or unknown), and `size`,
    [number of columns].

    Numeric columns have at most `limits.max_bins` quantile bins: `edges` between them, `values` (medians) and
    `std`. All other columns are categorical: their most common `values`. Raises `BadValue` without any value.
    """
    seen: dict[str, list[Scalar]] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None:
                seen.setdefault(name, []).append(value)
    if not seen:
        raise BadValue("the records have no column with a value; give each at least one")
    columns = {name: _column(seen[name], limits.max_bins) for name in sorted(seen)}
    return {"size": [len(columns)], "columns": columns}


def _column(values: list[Any], bins: int) -> dict[str, Any]:
    if all(_is_number(value) for value in values):
        return _number(sorted(values), bins)
    counts = Counter(json.dumps(whole(value)) for value in values)  # as JSON, since True == 1
    common = sorted(counts, key=lambda value: (-counts[value], value))[:MAX_CATEGORIES]
    return {"kind": "category", "values": [from_json(value) for value in sorted(common)]}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(values: list[float], bins: int) -> dict[str, Any]:
    edges = _edges(Counter(values), bins)
    members: list[list[float]] = [[] for _ in range(len(edges) + 1)]
    for value in values:
        members[bisect_right(edges, value)].append(value)
    medians = [group[len(group) // 2] for group in members]
    return {
        "kind": "number",
        "edges": edges,
        "values": medians,
        "std": _std(values) or 1.0,
    }


def _std(values: list[float]) -> float:
    """Standard deviation, also of numbers whose squares are infinite."""
    numbers = np.array(values, float)
    unit = max(1.0, float(np.abs(numbers).max()) / SQUARED)
    return unit * float(np.std(numbers / unit))


def _edges(counts: Counter[float], bins: int) -> list[float]:
    """Returns the lower edge of every bin but the first: equal-count bins, frequent values in their own."""
    edges: list[float] = []
    inside, left = 0, counts.total()
    for value in sorted(counts):
        share = left / (bins - len(edges))
        if inside and len(edges) < bins - 1 and inside + counts[value] / 2 > share:
            edges.append(value)
            inside, left = 0, left - inside
        inside += counts[value]
    return edges if len(counts) > bins else sorted(counts)[1:]


def pack(row: Record, spec: DataSpec) -> NDArray[np.int64]:
    """Record → int64 (F,), the slot of each column; 0 is missing or unknown."""
    return np.array([_slot(row.get(name), column) for name, column in spec["columns"].items()], np.int64)


def _slot(value: Scalar, column: dict[str, Any]) -> int:
    if column["kind"] == "number":
        return 1 + bisect_right(column["edges"], value) if _is_number(value) else 0
    return next((i for i, known in enumerate(column["values"], 1) if _is_same(known, value)), 0)


def whole(value: Scalar) -> Scalar:
    """A value as it is told apart from others: 7.0 is 7."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_same(value: Scalar, other: Scalar) -> bool:
    """Whether two values are one category: 7 and 7.0 are, 1 and True or "1" are not."""
    return value == other and type(whole(value)) is type(whole(other))


def unpack(slots: NDArray[np.int64], spec: DataSpec) -> Record:
    """int64 (F,) → record of the columns whose slots have a value; the others are left out."""
    columns = spec["columns"].items()
    return {
        name: column["values"][slot - 1]
        for (name, column), slot in zip(columns, slots.tolist())
        if 1 <= slot <= len(column["values"])
    }


def vocab_size(spec: DataSpec) -> int:
    """Returns the number of slots of the largest column."""
    return 1 + max(len(column["values"]) for column in spec["columns"].values())


def shortened(row: Record, spec: DataSpec) -> Sequence[Shortened]:
    """Returns columns and categories that the spec does not have, and numbers that are rounded to a bin's
    median."""
    found = (_shortened(name, row.get(name), column) for name, column in spec["columns"].items())
    unknown = sorted(name for name in row.keys() - spec["columns"].keys() if row[name] is not None)
    what = "have a column {} that was not learned, and is left out"
    return [*(Shortened(what.format(name)) for name in unknown), *(one for one in found if one is not None)]


def _shortened(name: str, value: Scalar, column: dict[str, Any]) -> Shortened | None:
    slot, known = _slot(value, column), len(column["values"])
    if value is None or (slot and column["values"][slot - 1] == value):
        return None
    if not slot:
        return Shortened(f"have a {name} that is none of the {known} values learned, and counts as missing")
    how = f"have their {name} rounded to one of {known} values"
    return Shortened(how, "max_bins", known, 2 * known, is_resolution=True)


def compare(generated: Record, truth: Record, spec: DataSpec) -> dict[str, float]:
    """Metrics over the truth's columns: `exact` for categories, `error` for numbers in standard deviations of
    the training values, each by column (`exact.sex`, `error.age`) and averaged; `present`, the fraction of
    columns with a value.

    A missing number has no error; a missing category is wrong.
    """
    exact, error, asked, answered = {}, {}, 0, 0
    for name, column in spec["columns"].items():
        value, right = generated.get(name), truth.get(name)
        if right is None:
            continue
        asked, answered = asked + 1, answered + (value is not None)
        if column["kind"] == "category":
            exact[name] = float(_is_same(value, right))
        elif _is_number(value) and _is_number(right):
            error[name] = abs(float(value or 0) - float(right)) / column["std"]
    figures = {"present": answered / asked} if asked else {}
    return figures | _averaged("exact", exact) | _averaged("error", error)


def _averaged(metric: str, figures: dict[str, float]) -> dict[str, float]:
    if not figures:
        return {}
    mean = sum(figures.values()) / len(figures)
    return {metric: mean} | {f"{metric}.{name}": figure for name, figure in figures.items()}


def to_html(row: Record, spec: DataSpec) -> str:
    """Returns an escaped HTML table of two columns."""
    lines = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(_shown(value))}</td></tr>"
        for name, value in row.items()
    )
    return f"<table>{lines}</table>"


def _shown(value: Scalar) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)


def describe(rows: Iterable[Record]) -> dict[str, Any]:
    """Returns the fraction of rows with a value in each column."""
    counts: Counter[str] = Counter()
    total = 0
    for row in rows:
        total += 1
        counts.update(name for name, value in row.items() if value is not None)
    return {"columns": {name: round(counts[name] / total, 3) for name in sorted(counts)}}


RECORD = Modality(
    name="record",
    feature=VALUE,
    suffixes=("json",),
    tokenizer="categorical",
    read=read,
    write=write,
    coerce=coerce,
    infer_spec=infer_spec,
    compare=compare,
    to_html=to_html,
    codec=CategoricalCodec(
        pack=pack,
        unpack=unpack,
        vocab_size=vocab_size,
        columns=lambda spec: {name: column["values"] for name, column in spec["columns"].items()},
    ),
    lower_is_better=("error",),
    limits=RecordLimits(),
    shortened=shortened,
    describe=describe,
)
