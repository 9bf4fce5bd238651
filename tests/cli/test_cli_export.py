"""A run made small, and a run that comes with modaloom."""

import json
from pathlib import Path

import pytest
import torch
from calling import Call, done

from modaloom import api
from modaloom.core.errors import BadRun
from modaloom.runs import resolve as bundled


@pytest.fixture
def small(run: Path, tmp_path: Path) -> Path:
    out = tmp_path / "small"
    done("export", run, "--out", out)
    return out


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def test_half_of_the_size_and_the_same_weights(run: Path, small: Path) -> None:
    assert size(small / "model") < 0.52 * size(run / "model")
    found = api.load(small).model.loom.state_dict()
    for name, whole in api.load(run).model.loom.state_dict().items():
        torch.testing.assert_close(found[name], whole, rtol=1e-3, atol=1e-6)


def test_it_holds_what_using_it_needs_and_no_place_of_this_machine(run: Path, small: Path) -> None:
    assert {path.name for path in small.iterdir()} == {"config.json", "data.json", "scores.json", "model"}
    told = [*small.glob("*.json"), small / "model" / "README.md"]
    assert str(run.parent) not in "".join(path.read_text() for path in told)
    assert json.loads((small / "data.json").read_text())["folder"] == "world"


def test_a_bundled_run_is_found_by_its_name_alone(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path.parent)
    done("generate", "small", "--given", "caption=a small red star", "--want", "image", "--n", 1,
         "--steps", 2, "--out", tmp_path / "drawn")  # fmt: skip
    assert (tmp_path / "drawn" / "0000.image.png").is_file()
    with pytest.raises(BadRun):
        api.load("elsewhere/small")
    (tmp_path.parent / "small").mkdir()
    with pytest.raises(BadRun, match="small is no run folder"):
        api.load("small")  # the user's own folder comes first


def test_it_refuses_a_folder_that_holds_something(run: Path, small: Path, refused: Call) -> None:
    refused("export", run, "--out", small, names="is not empty")
