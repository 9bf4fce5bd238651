"""Breaks every guarded formula, one at a time, and counts how many the tests notice.

python tests/mutants/run.py [WORD]     only those whose description or file holds WORD
"""

import sys
import tempfile
from pathlib import Path

from mutant import ROOT, run_tests
from table import MUTANTS


def main(word: str = "") -> None:
    chosen = [m for m in MUTANTS if word in m.breaks or word in m.file]
    guards = sorted({test for mutant in chosen for test in mutant.tests.split()})
    if run_tests(" ".join(guards), ROOT / "src"):
        sys.exit("the tests fail before anything is broken")
    survivors = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, mutant in enumerate(chosen, 1):
            killed = mutant.is_killed(Path(scratch))
            survivors += [] if killed else [mutant]
            verdict = "killed" if killed else "SURVIVED"
            print(f"{number}/{len(chosen)} {verdict}: {mutant.file}: {mutant.breaks}", flush=True)
    print(f"killed {len(chosen) - len(survivors)} of {len(chosen)}")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main(*sys.argv[1:2])
