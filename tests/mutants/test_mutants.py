"""The table of mutants keeps up with the sources."""

import ast

import pytest
from mutant import ROOT, Mutant
from table import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.breaks)
def test_each_mutant_applies_and_still_parses(mutant: Mutant) -> None:
    assert mutant.applied() != mutant.source.read_text()
    ast.parse(mutant.applied())
    assert all((ROOT / "tests" / test.split("::")[0]).is_file() for test in mutant.tests.split())


def test_no_two_mutants_are_one() -> None:
    assert len({(m.file, m.old, m.new) for m in MUTANTS}) == len(MUTANTS)
