"""The examples that write a folder: what they say, and that they overwrite nothing."""

import runpy
import shlex
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "how", "needs"),
    [
        ("digits", ["--minutes", "5"], "sklearn"),
        ("photographs", ["--task", "restore", "--minutes", "20"], "skimage"),
    ],
)
def test_a_script_says_how_to_go_on_and_overwrites_nothing(
    name: str,
    how: list[str],
    needs: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip(needs)
    script, folder = EXAMPLES / f"{name}.py", tmp_path / f"my {name}"
    monkeypatch.setattr(sys, "argv", [script.name, str(folder)])
    runpy.run_path(str(script), run_name="__main__")
    command = shlex.split(capsys.readouterr().out.removeprefix("next: "))
    assert command == ["modaloom", "train", str(folder), "--out", f"runs/{name}", *how]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(script), run_name="__main__")
    assert stopped.value.code == 2
    assert "not empty" in capsys.readouterr().err
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
