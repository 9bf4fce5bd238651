"""The benchmark of damaged files counts what it is to count."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import mutated
from mutated import Case, damaged, measured

from modaloom.core.errors import BadFile


def read(path: Path) -> object:
    """A reader with every fault, by the length of the file."""
    size = path.stat().st_size
    if size == 64:
        return None
    if size % 5 == 0:
        raise ValueError("a bug")
    if size % 7 == 0:
        os.abort()
    if size < 8:
        time.sleep(60)
    if size > 100:
        return bytearray(8 * 2**30)
    raise BadFile(path, "is damaged")


def faulty() -> Mapping[str, Case]:
    return {"faulty": Case(".bin", lambda: [bytes(64)], read)}


def kind(number: int) -> str:
    """What `read` does with a damaged file."""
    size = len(damaged([bytes(64)], 0, number))
    if size == 64:
        return "read"
    if size % 5 == 0:
        return "other exceptions"
    if size % 7 == 0:
        return "processes that died"
    if size < 8:
        return "hangs"
    return "other exceptions" if size > 100 else "refused by name"


@pytest.mark.full
def test_faults_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutated, "SECONDS", 2)
    numbers: dict[str, list[int]] = {}
    for number in range(60):
        numbers.setdefault(kind(number), []).append(number)
    chosen = sorted(number for some in numbers.values() for number in some[:2])
    found = measured("faulty", chosen, 0, faulty)
    assert found["trials"] == len(chosen) == 10
    assert {name: found[name] for name in numbers} == dict.fromkeys(numbers, 2)


def test_readers_survive_some_files_and_trials_repeat() -> None:
    for name in ("csv", "npy"):
        found = measured(name, range(20), 0)
        assert (found["trials"], found["read"] + found["refused by name"]) == (20, 20)
    files = [bytes(range(200))]
    assert damaged(files, 0, 3) == damaged(files, 0, 3) != damaged(files, 0, 4)


def test_the_bound_is_that_of_the_binomial() -> None:
    found = measured("csv", range(20), 0)
    assert found["faults, 95% bound in a million"] == pytest.approx(1e6 * (1 - 0.05 ** (1 / 20)))
