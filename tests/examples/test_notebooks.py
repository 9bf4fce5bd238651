"""The notebooks run from top to bottom in a kernel, show their values, and keep a run that is interrupted."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"


def outputs(notebook: Any) -> list[dict[str, Any]]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def executed(notebook: Any) -> list[dict[str, Any]]:
    NotebookClient(notebook, timeout=240, kernel_name="python3").execute()
    return outputs(notebook)


def html(found: list[dict[str, Any]]) -> str:
    return "".join(str(output.get("data", {}).get("text/html", "")) for output in found)


def test_quickstart() -> None:
    shown = html(executed(nbformat.read(EXAMPLES / "quickstart.ipynb", 4)))
    assert shown.count("<img") >= 4 + 3
    assert "caption" in shown


HURRIED = {"MINUTES = 0.4": "MINUTES = 0.1", "digits.images, ": "digits.images[:200], ", "n=50": "n=10"}
"""What a notebook says → what the test says instead."""


@pytest.mark.full
def test_own_data() -> None:
    notebook = nbformat.read(EXAMPLES / "own_data.ipynb", 4)
    for said, hurried in HURRIED.items():
        (cell,) = (cell for cell in notebook.cells if cell.cell_type == "code" and said in cell.source)
        cell.source = cell.source.replace(said, hurried)
    found = executed(notebook)
    assert html(found).count("<img") >= 6
    assert "<table>" in html(found)
    lines = [str(output.get("data", {}).get("text/plain", "")) for output in found]
    assert any("loom" in line and "/s" in line for line in lines)


TRAIN = """
import modaloom, tempfile
from pathlib import Path
work = Path(tempfile.mkdtemp())
modaloom.world(work / "data", n=200)
try:
    modaloom.train(work / "data", out=work / "run", steps=100_000, streams=["image", "caption"])
except modaloom.WorkFailed as stopped:
    print(stopped)
"""
INTERRUPT = """
import os, signal, threading
def stop():
    while "work" not in globals() or not (work / "run" / "metrics.jsonl").exists():
        threading.Event().wait(0.2)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=stop, daemon=True).start()
"""


@pytest.mark.full
def test_interrupting_the_kernel_keeps_the_run() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code) for code in (INTERRUPT, TRAIN)]
    )
    said = "".join(str(output.get("text", "")) for output in executed(notebook))
    assert "stopped after step" in said
    assert "go on with" in said


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_they_are_stored_without_outputs(path: Path) -> None:
    assert not outputs(nbformat.read(path, 4))
