"""Table rows: quantile bins, categories, missing values."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modaloom.core.errors import BadFile, BadValue
from modaloom.modalities import record as records
from modaloom.modalities.record import RecordLimits

ROWS: list[records.Record] = [
    {"age": 30, "sex": "f", "ill": True},
    {"age": 40, "sex": "m", "ill": False},
    {"age": 50, "sex": "f", "ill": None},
]


@pytest.mark.parametrize(
    "text",
    [
        "[1]", "3", "{", "{'a': 1}",
        '{"a": [1]}', '{"a": {"b": 1}}', '{"a": NaN}', '{"a": -Infinity}', '{"a": 1e999}',
        '{"a": 1' + "0" * 400 + "}", "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_row_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(BadFile, match=r"a\.json: "):
        records.read(path)


def test_arguments_are_json_or_a_path(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"age": 3}')
    for argument in ('{"age": 3}', f"{tmp_path}/a.json", {"age": 3}, {"age": np.int64(3)}):
        assert records.coerce(argument) == {"age": 3}
    with pytest.raises(BadValue, match="JSON"):
        records.coerce('{"age": }')


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"age": math.nan}, "column 'age' holds float nan; give a finite number"),
        ({"age": [3]}, "column 'age' holds list"),
        ({3: 4}, "a column is named by int 3"),
        ({"age": np.zeros(3)}, "column 'age' holds ndarray"),
    ],
)
def test_what_a_column_cannot_hold_is_named(row: dict[Any, Any], named: str) -> None:
    with pytest.raises(BadValue, match=named):
        records.coerce(row)


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    records.write({"a": 1, "b": 2}, tmp_path / "a.json")
    records.write({"b": 2, "a": 1}, tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_few_values_are_kept_exactly() -> None:
    spec = records.infer_spec(ROWS, RecordLimits())
    assert spec["size"] == [3]
    assert records.vocab_size(spec) == 4
    assert [records.unpack(records.pack(row, spec), spec) for row in ROWS] == [
        {name: value for name, value in row.items() if value is not None} for row in ROWS
    ]
    assert json.loads(json.dumps(spec)) == spec


def test_many_numbers_fall_into_bins_of_equal_count() -> None:
    values = np.random.default_rng(0).exponential(size=1000).tolist()
    spec = records.infer_spec([{"x": value} for value in values], RecordLimits(max_bins=8))
    slots = np.array([records.pack({"x": value}, spec)[0] for value in values])
    assert np.bincount(slots, minlength=9).tolist() == [0, *[125] * 8]
    for slot in range(1, 9):
        inside = [value for value, one in zip(values, slots) if one == slot]
        assert sum(value < spec["columns"]["x"]["values"][slot - 1] for value in inside) == 62


@given(st.lists(st.integers(-5, 5) | st.floats(-1e9, 1e9), min_size=1), st.integers(1, 8))
def test_any_numbers_fit_at_most_the_bins_and_none_is_empty(values: list[float], bins: int) -> None:
    column = records.infer_spec([{"x": value} for value in values], RecordLimits(max_bins=bins))["columns"][
        "x"
    ]
    spec = {"size": [1], "columns": {"x": column}}
    assert len(column["values"]) <= bins
    slots = {int(records.pack({"x": value}, spec)[0]) for value in values}
    assert slots == set(range(1, len(column["values"]) + 1))
    assert set(column["values"]) <= set(values)


def test_a_value_that_most_rows_have_is_one_bin_and_the_others_keep_theirs() -> None:
    rows: list[records.Record] = [{"x": max(0, i - 90)} for i in range(100)]
    column = records.infer_spec(rows, RecordLimits(max_bins=4))["columns"]["x"]
    assert column["edges"] == [1, 4, 7]
    assert column["values"] == [0, 2, 5, 8]


def test_rare_values_keep_their_own_bins_while_there_are_bins_for_all() -> None:
    rows: list[records.Record] = [{"x": min(i, 3)} for i in range(100)]
    assert records.infer_spec(rows, RecordLimits(max_bins=4))["columns"]["x"]["values"] == [0, 1, 2, 3]
    assert records.infer_spec(rows, RecordLimits(max_bins=3))["columns"]["x"]["values"] == [1, 3]


def test_unknown_and_missing_values_take_slot_0_and_stay_away() -> None:
    spec = records.infer_spec(ROWS, RecordLimits())
    packed = records.pack({"sex": "x", "ill": None, "age": "old", "colour": "red"}, spec)
    assert packed.tolist() == [0, 0, 0]
    assert records.unpack(packed, spec) == {}
    assert records.unpack(np.array([99, 1, 1]), spec).keys() == {"ill", "sex"}


def test_truth_values_and_numbers_are_told_apart() -> None:
    spec = records.infer_spec([{"x": True}, {"x": 1}, {"x": "1"}], RecordLimits())
    assert spec["columns"]["x"]["kind"] == "category"
    assert len({int(records.pack({"x": value}, spec)[0]) for value in (True, 1, "1")}) == 3


def test_the_largest_numbers_have_a_finite_spread() -> None:
    for high, low, std in [(1e300, -1e300, 1e300), (10**30, 0, 5e29)]:
        column = records.infer_spec([{"x": high}, {"x": low}], RecordLimits())["columns"]["x"]
        assert column["std"] == pytest.approx(std)


def test_columns_and_categories_that_were_not_learned_are_told() -> None:
    spec = records.infer_spec(ROWS, RecordLimits())
    found = [one.how for one in records.shortened({"agee": 3, "sex": "x", "age": 30, "no": None}, spec)]
    assert found == [
        "have a column agee that was not learned, and is left out",
        "have a sex that is none of the 2 values learned, and counts as missing",
    ]


def test_a_whole_number_is_one_category_however_it_is_written() -> None:
    spec = records.infer_spec([{"x": 7}, {"x": 7.0}, {"x": "a"}], RecordLimits())
    assert spec["columns"]["x"]["values"] == ["a", 7]
    assert records.pack({"x": 7}, spec) == records.pack({"x": 7.0}, spec) == [2]
    assert records.compare({"x": 7}, {"x": 7.0}, spec)["exact"] == 1
    assert records.compare({"x": True}, {"x": 1}, spec)["exact"] == 0


def test_identifiers_do_not_blow_the_codebook_up() -> None:
    spec = records.infer_spec([{"id": f"p{i}"} for i in range(5000)] + [{"id": "p7"}], RecordLimits())
    assert records.vocab_size(spec) == 256
    assert records.pack({"id": "p7"}, spec)[0] > 0


def test_records_without_columns_are_refused() -> None:
    with pytest.raises(BadValue, match="no column"):
        records.infer_spec([{}, {"x": None}], RecordLimits())


def test_compare_by_column_in_standard_deviations() -> None:
    spec = records.infer_spec(ROWS, RecordLimits())
    std = float(np.std([30, 40, 50]))
    figures = records.compare({"age": 40, "sex": "m"}, {"age": 50, "sex": "f", "ill": True}, spec)
    assert figures == pytest.approx(
        {
            "present": 2 / 3,
            "exact": 0, "exact.sex": 0, "exact.ill": 0,
            "error": 10 / std, "error.age": 10 / std,
        }
    )  # fmt: skip


def test_describe_counts_columns() -> None:
    assert records.describe(ROWS) == {"columns": {"age": 1, "ill": 0.667, "sex": 1}}
