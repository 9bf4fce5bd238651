"""A formula broken on purpose, and the tests that must notice."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAILED = 1
"""Pytest's exit code where tests ran and some failed; to break their collection would prove nothing."""


@dataclass(frozen=True)
class Mutant:
    """Text of a source file, what it is broken to, and the tests (below `tests/`) that guard it."""

    breaks: str
    """What is wrong then, in a few words."""
    file: str
    """Below `src/modaloom/`."""
    old: str
    """Stands once in the file."""
    new: str
    tests: str
    """A test file, or file::test; several with spaces between them."""

    @property
    def source(self) -> Path:
        return ROOT / "src" / "modaloom" / self.file

    def applied(self) -> str:
        """The broken text of the file. Raises `ValueError` unless `old` stands in it once."""
        text = self.source.read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} holds {self.old!r} {text.count(self.old)} times, not once")
        return text.replace(self.old, self.new)

    def is_killed(self, scratch: Path) -> bool:
        """Whether the tests fail on a copy of the sources in `scratch` with this one formula broken."""
        copy = scratch / "src"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        (copy / "modaloom" / self.file).write_text(self.applied())
        return run_tests(self.tests, copy) == FAILED


def run_tests(tests: str, source: Path) -> int:
    """Pytest's exit code for `tests`, with `source` first on the path."""
    paths = [str(ROOT / "tests" / test) for test in tests.split()]
    call = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *paths]
    environment = {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(call, cwd=ROOT, env=os.environ | environment, capture_output=True).returncode
