"""Frames: what is computed when, and results one by one."""

import pytest

from modaloom.core.frame import Frame, Frames, finished, joined, single
from modaloom.core.results import Results


def counted(n: int, calls: list[str]) -> Frames[int]:
    """n steps whose preview is the step's number, and whose result is n."""
    try:
        for step in range(1, n + 1):
            calls.append("step")
            yield Frame(step, n, lambda: calls.append("preview") or 7, n if step == n else None)
    finally:
        calls.append("closed")


def test_nothing_is_converted_before_it_is_looked_at() -> None:
    calls: list[str] = []
    first, last = (frame.map(lambda x: calls.append(f"convert {x}") or -x) for frame in counted(2, []))
    assert calls == ["convert 2"]
    assert last.result == last.preview() == -2
    assert calls == ["convert 2"]
    assert first.result is None
    assert first.preview() == -7
    assert calls == ["convert 2", "convert 7"]


def test_a_place_survives_a_conversion() -> None:
    frame = Frame(2, 5, lambda: 1, None, "image", 64).map(str)
    assert (frame.step, frame.total, frame.stream, frame.first, frame.preview()) == (2, 5, "image", 64, "1")


def test_the_result_is_that_of_the_last_step_and_no_preview_is_computed() -> None:
    calls: list[str] = []
    assert finished(counted(3, calls)) == 3
    assert calls == ["step"] * 3 + ["closed"]
    assert finished(single("whole")) == "whole"


def pairs(calls: list[str]) -> Frames[list[int]]:
    """Two steps that finish nothing, one that finishes two results, one that finishes one."""
    try:
        for step, found in enumerate([None, None, [1, 2], [3]], start=1):
            calls.append("step")
            yield Frame(step, 4, list, found)
    finally:
        calls.append("closed")


def test_results_come_one_by_one_as_they_are_finished() -> None:
    calls: list[str] = []
    results = Results(pairs(calls))
    assert calls == []
    assert next(results) == 1
    assert calls == ["step"] * 3
    assert [*results] == [2, 3]
    assert [frame.result for frame in Results(pairs([])).frames] == [None, None, [1, 2], [3]]


def test_closed_results_do_no_more_work() -> None:
    calls: list[str] = []
    results = Results(pairs(calls))
    assert next(results) == 1
    results.close()
    assert calls == ["step"] * 3 + ["closed"]
    with pytest.raises(StopIteration):
        next(results)


def test_the_same_steps_of_several_requests_are_one() -> None:
    calls: list[str] = []
    first, last = (joined(frames, list) for frames in zip(counted(2, calls), counted(2, [])))
    assert (first.step, first.total, first.result) == (1, 2, None)
    assert "preview" not in calls
    assert first.preview() == [7, 7]
    assert (last.result, last.preview()) == ([2, 2], [2, 2])
