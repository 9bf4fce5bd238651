"""JSON for files and readers is written by `core/json_text.py` alone."""

import re
from pathlib import Path

import modaloom

ROOT = Path(modaloom.__file__).parent
OTHERS = {
    "cli/train.py",  # a setting
    "core/json_text.py",
    "data/cache.py",  # hashed, never read
    "data/cells.py",  # a cell's text
    "loom/torch_free/sample.py",  # imports nothing of modaloom
    "modalities/record.py",  # refuses what is not finite
    "runs/config_io.py",  # handed to a parser at once
}


def test_json_is_written_in_one_place() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if re.search(r"json\.dumps?\b", path.read_text(encoding="utf-8"))
    }
    assert found == OTHERS
