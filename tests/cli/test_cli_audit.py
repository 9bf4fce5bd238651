"""`modaloom audit` on a tiny world with a copy across its splits."""

import json
import shutil
from pathlib import Path

from calling import Call, call, done


def test_audit_names_files_and_copies(run: Path, world: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(world, tmp_path / "world")
    copied = folder / "test-seen" / "000003.image.png"
    shutil.copy(folder / "train" / "000007.image.png", copied)
    shown = done("audit", run, folder, "--n", 30, "--json", tmp_path / "audit.json").stdout
    found = json.loads((tmp_path / "audit.json").read_text())
    assert found["audited"] == 30
    (copy,) = found["duplicates"]
    assert copy == {"stream": "image", "key": "test-seen/000003", "of": "train/000007", "distance": 0.0}
    assert found["files"]["test-seen/000003"]["image"] == str(copied)
    assert "copies of training values among held-out ones: 1" in shown
    scores = [suspect["score"] for suspect in found["suspects"]]
    assert scores == sorted(scores)
    assert done("audit", run, folder, "--n", 30).stdout == shown


def test_audit_refuses_what_it_cannot_do(run: Path, world: Path, tmp_path: Path, refused: Call) -> None:
    refused("audit", run, world, "--n", 0, names="n is 0")
    refused(
        "audit", run, world, "--json", "gone/audit.json", names="--json gone/audit.json cannot be written"
    )
    assert call("audit", run, tmp_path).exit_code == 2
