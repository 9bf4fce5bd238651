"""Figures beside targets: whose figures are held against them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from figures import Target, records, table

TARGETS = [Target("dB", 20), Target("MB", 100, "≤"), Target("steps")]
COLUMNS = {"ours": {"dB": 21.0, "MB": 50.0}, "more": {"dB": 19.0, "steps": 3.0}, "theirs": {"dB": 30.0}}


@pytest.mark.parametrize(
    ("judged", "met"),
    [
        ((), [True, None, None]),
        (["ours"], [True, True, None]),
        (["more"], [False, None, None]),
        (["ours", "more"], [False, True, None]),
        (["still to come"], [None, None, None]),
    ],
)
def test_the_judged_columns_meet_a_target_or_not(judged: list[str], met: list[bool | None]) -> None:
    assert [record["met"] for record in records(TARGETS, COLUMNS, judged)] == met
    shown = [line.split("|")[-2].strip() for line in table(TARGETS, COLUMNS, judged).splitlines()[2:]]
    assert shown == [{True: "yes", False: "no", None: ""}[one] for one in met]
