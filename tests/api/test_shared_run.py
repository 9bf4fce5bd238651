"""An opened run is passed on: what is done with it loads the model once, and encodes nothing twice."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor
from typer.testing import CliRunner

import modaloom.api as modaloom
from modaloom.cli import app
from modaloom.loom import run as loom_run
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.model import Model
from modaloom.restorer import restoration
from modaloom.restorer.config import RestorerRunConfig
from modaloom.runs.config_io import override
from modaloom.runs.model import load_model

LOOM = (
    *("tokenizers.image.codebook_size=8", "tokenizers.image.num_quantizers=1"),
    *("tokenizers.image.widths=[8,8,8]", "tokenizers.image.latent_dim=8"),
    *("loom.width=32", "loom.num_layers=1", "loom.num_heads=2", "loom.sampling.steps=2"),
    *("training.tokenizer.batch_size=8", "training.loom.batch_size=8", "training.precision=fp32"),
)
RESTORER = ('restorer.unet={"widths":[8,8],"groups":4}', 'data.streams=["image"]')


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def world(place: Path) -> Path:
    modaloom.world(place / "world", n=12, held_out=6, streams=["image", "caption"])
    return place / "world"


def train(world: Path, out: Path) -> modaloom.TrainedRun:
    run = modaloom.train(world, out=out, steps=1, samples=4, config=override(LoomRunConfig(), LOOM))
    assert isinstance(run, modaloom.TrainedRun)
    return run


@pytest.fixture(scope="module")
def run(world: Path, place: Path) -> modaloom.TrainedRun:
    return train(world, place / "run")


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The model folders that were loaded."""
    found: list[Path] = []

    def count(folder: Path) -> Any:
        found.append(folder)
        return load_model(folder)

    for module in (loom_run, restoration):
        monkeypatch.setattr(module, "load_model", count)
    return found


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stream of every value that was encoded."""
    found, encode = list[str](), Model.encode

    def count(self: Model, name: str, values: Sequence[Any]) -> Tensor:
        found.extend([name] * len(values))
        return encode(self, name, values)

    monkeypatch.setattr(Model, "encode", count)
    return found


def test_a_training_loads_its_model_once(world: Path, tmp_path: Path, loads: list[Path]) -> None:
    """For scores, mutual information, samples of three directions, atlas, report and card."""
    run = train(world, tmp_path / "run")
    assert loads == [run.path / "model"]
    blocks = json.loads((run.path / "samples" / "index.json").read_text())["blocks"]
    assert len(blocks) == 3
    for name in ("scores.json", "information.json", "report.html", "samples/atlas.json"):
        assert (run.path / name).exists()


def test_so_does_that_of_a_restorer(world: Path, tmp_path: Path, loads: list[Path]) -> None:
    config = override(RestorerRunConfig(), RESTORER)
    modaloom.train(world, out=tmp_path / "run", task="vary", steps=1, samples=4, config=config)
    assert loads == [tmp_path / "run" / "model"]


def test_so_do_report_and_evaluate(run: modaloom.TrainedRun, world: Path, loads: list[Path]) -> None:
    modaloom.report(run.path)
    assert len(loads) == 1
    result = CliRunner().invoke(app, ["evaluate", str(run.path), str(world), "--n", "2"])
    assert result.exit_code == 0, result.output
    assert len(loads) == 2


def test_a_loaded_run_generates_files_as_its_folder_does(
    run: modaloom.TrainedRun, tmp_path: Path, loads: list[Path]
) -> None:
    for i, asked in enumerate((run, run.path)):
        [*modaloom.generate(asked, want="image", n=2, out=tmp_path / str(i))]
    assert len(loads) == 1
    one, other = ({p.name: p.read_bytes() for p in (tmp_path / str(i)).iterdir()} for i in (0, 1))
    assert one == other


def test_what_was_generated_is_not_encoded(
    run: modaloom.TrainedRun, tmp_path: Path, encoded: list[str]
) -> None:
    """Neither to find its neighbour, nor for its codes."""
    [*modaloom.generate(run, want=["image", "caption"], n=3, out=tmp_path / "out")]
    lines = (tmp_path / "out" / "_provenance.jsonl").read_text().splitlines()
    assert all(json.loads(line)["nearest"].startswith("train/") for line in lines)
    sample, *_ = run.generate(want=["image", "caption"], n=3)
    assert sample.codes.keys() == sample.keys() == {"image", "caption"}
    assert encoded == []
    run.generate({"caption": "a red circle"}, "image", n=5)
    assert encoded == ["caption"]


def test_the_nearest_training_sample_has_the_most_equal_codes(run: modaloom.TrainedRun) -> None:
    """Codes of a training sample itself, and by counting."""
    neighbours, layout = run.neighbours, run.model.loom.layout
    key, size = neighbours.keys[5], len(neighbours.keys)
    codes = {name: rows[5] for name, rows in neighbours.codes.items()}
    here = {name: Tensor(rows.tolist()).long() for name, rows in codes.items()}
    found = neighbours.nearest(layout, here)
    equal = [
        sum(float((rows[i] == codes[name]).mean()) for name, rows in neighbours.codes.items())
        for i in range(size)
    ]
    assert equal[neighbours.keys.index(found or "")] == max(equal) == len(codes)
    assert equal[neighbours.keys.index(key)] == max(equal)


def test_an_evaluation_encodes_each_value_once(
    run: modaloom.TrainedRun, world: Path, encoded: list[str]
) -> None:
    """Four of each of three splits, of two streams, in both directions and jointly."""
    modaloom.evaluate(run, world, n=4)
    assert sorted(encoded) == sorted(["image", "caption"] * 12)
    encoded.clear()
    modaloom.mutual_information(run, world, n=4)
    assert sorted(encoded) == sorted(["image", "caption"] * 4)
