"""The bundled run as ONNX graphs: equal to torch's, and drawn from without torch.

The export takes half a minute, once: torch traces and translates three networks.
"""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import modaloom
from modaloom.core.errors import BadValue
from modaloom.engines import ENGINES
from modaloom.runs import onnx_file

for name in ("onnxscript", "onnxruntime"):
    pytest.importorskip(name)

full = pytest.mark.full
GREEDY: dict[str, Any] = {"temperature": 0.0, "choice_temperature": 0.0, "steps": 4}
CAPTION = "a small purple star at the top left"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return modaloom.export("demo", out=tmp_path_factory.mktemp("onnx") / "model", format="onnx")


@pytest.fixture(scope="module")
def run() -> modaloom.TrainedRun:
    found = modaloom.load("demo")
    assert isinstance(found, modaloom.TrainedRun)
    return found


@pytest.fixture(scope="module")
def program(folder: Path) -> Any:
    """The module `sample`, whose files lie beside each other wherever they are."""
    sys.path.insert(0, str(folder))
    try:
        return import_module("sample")
    finally:
        sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def model(program: Any, folder: Path) -> Any:
    return program.Model(folder, threads=1)


@full
def test_the_folder_holds_graphs_facts_and_the_program(folder: Path, run: modaloom.TrainedRun) -> None:
    graphs = {"encode.image.onnx", "decode.image.onnx", "denoise.onnx"}
    text = {"README.md", "model.json", "sample.py", "samplers.py", "values.py"}
    assert {path.name for path in folder.iterdir()} == graphs | text
    assert json.loads((folder / "model.json").read_text())["hash"] == run.hash


@full
def test_logits_are_torchs_for_any_streams_and_number_of_samples(
    run: modaloom.TrainedRun, model: Any, program: Any
) -> None:
    picture = run.generate(want="image", n=1, seed=1, steps=1)[0]["image"]
    codes = run.model.codes({"image": [picture] * 3, "caption": [CAPTION] * 3, "question": ["what?"] * 3})
    for given, want, n in (
        (["caption"], ["image"], 1),
        (["image", "question"], ["answer"], 3),
        ([], ["image", "caption"], 2),
    ):
        canvas = run.model.loom.canvas({name: codes[name][:n] for name in given}, want, n)
        fields = {
            key: program.Field(f.state.numpy(), f.valid.numpy(), bool(f.given.all()))
            for key, f in canvas.items()
        }
        theirs, found = run.model.loom(canvas), model.denoise(fields)
        for key in canvas:
            torch.testing.assert_close(torch.from_numpy(found[key]), theirs[key], rtol=0, atol=1e-4)


@full
def test_pictures_have_equal_codes_and_codes_equal_pictures(run: modaloom.TrainedRun, model: Any) -> None:
    tokenizer: Any = run.model.streams["image"].tokenizer
    for picture in [sample["image"] for sample in run.generate(want="image", n=3, seed=2, steps=2)]:
        codes, packed = tokenizer.encode([picture]).flatten(1, 2), tokenizer.prepare(picture)
        assert np.array_equal(model.encode("image", packed), codes)
        (value,) = model.decode("image", codes.numpy())
        rebuilt = np.asarray(run.model.decode("image", codes)[0]).astype(int)
        assert abs(value.transpose(1, 2, 0).astype(int) - rebuilt).max() <= 1  # a rounding apart


@full
def test_without_randomness_both_draw_the_same(run: modaloom.TrainedRun, model: Any) -> None:
    theirs = run.generate({"caption": CAPTION}, "image", n=1, **GREEDY)[0]
    codes = model.draw({"caption": model.encode("caption", CAPTION)}, ["image"], n=1, seed=0, **GREEDY)
    assert np.array_equal(codes["image"][0], theirs.codes["image"])
    packed = run.model.streams["image"].tokenizer.prepare(theirs["image"])
    asked = ["caption", "answer"]
    answers = run.generate({"image": theirs["image"]}, asked, n=1, **GREEDY)[0]
    assert model.generate({"image": packed}, asked, n=1, **GREEDY)[0] == answers


@full
def test_the_program_runs_without_torch(folder: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for name in ("torch", "modaloom", "PIL"):
        (hidden / f"{name}.py").write_text(f"raise ImportError('{name} was imported')")
    out = tmp_path / "out"
    words = f"--given|caption={CAPTION}|--want|image,answer|--n|2|--steps|2|--out|{out}".split("|")
    command = [sys.executable, folder / "sample.py", *words]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(hidden)}, check=True, cwd=tmp_path)
    assert {path.name for path in out.iterdir()} == {
        f"{i:04d}.{name}" for i in range(2) for name in ("image.npy", "answer.txt")
    }
    assert np.load(out / "0000.image.npy").shape == (3, 32, 32)


def test_what_is_not_exported_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadValue, match="did you mean 'onnx'"):
        modaloom.export("demo", out=tmp_path / "out", format="onx")
    with pytest.raises(BadValue, match="RUN is a run of the restorer, which is not exported"):
        ENGINES["restorer"].exportable(SimpleNamespace(path="RUN", run=SimpleNamespace(engine="restorer")))
    monkeypatch.setattr(onnx_file, "NEEDED", ("onnx", "no_such_package"))
    with pytest.raises(BadValue, match=r"no_such_package: pip install 'modaloom\[onnx\]'"):
        modaloom.export("demo", out=tmp_path / "out", format="onnx")
    assert not list(tmp_path.iterdir())
