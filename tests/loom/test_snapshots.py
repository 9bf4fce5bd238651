"""Fixed held-out samples while a Loom is trained, and their frames on the page."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import modaloom.api as modaloom
from modaloom.api import fitting
from modaloom.loom import snapshots
from modaloom.loom.config import LoomRunConfig
from modaloom.runs.config_io import override

SETTINGS = (
    *("tokenizers.image.code_grid=2", "tokenizers.image.widths=[8,8]", "tokenizers.image.latent_dim=4"),
    *(
        "tokenizers.text.vocab_size=300",
        "loom.width=16",
        "loom.num_layers=1",
        "loom.num_heads=2",
        "loom.sampling.steps=4",
    ),
    "training.precision=fp32",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root, random = tmp_path / "data", np.random.default_rng(0)
    root.mkdir()
    for i in range(60):
        Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8)).save(root / f"{i:02d}.png")
        (root / f"{i:02d}.txt").write_text("red" if i % 2 else "blue")
    return root


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(snapshots, "MAX_SHARE", 1.0)


def train(folder: Path, out: Path, steps: int = 4, **options: object) -> Path:
    config = override(LoomRunConfig(), SETTINGS)
    modaloom.train(folder, out=out, steps=steps, config=config, samples=4, **options)  # type: ignore[arg-type]
    return out


def index(run: Path) -> dict:
    return json.loads((run / "progress/index.json").read_text())


def test_the_same_samples_at_every_report(folder: Path, tmp_path: Path, often: None) -> None:
    run = train(folder, tmp_path / "run")
    found = index(run)
    assert [one["step"] for one in found["snapshots"]] == [1, 2, 3, 4]
    assert found["targets"] == ["image", "text"]
    for rows in (found["truth"], *(one["rows"] for one in found["snapshots"])):
        assert 0 < len(rows) <= snapshots.NUM_SAMPLES
        assert all((run / "progress" / file).is_file() for row in rows for file in row.values())
    page = (run / "report.html").read_text(encoding="utf-8")
    assert len(re.findall(r'type="radio"', page)) == 4
    assert page.count('checked=""') == 1
    assert "<script" not in page


def test_they_change_no_bit_of_the_training(folder: Path, tmp_path: Path, often: None) -> None:
    run = train(folder, tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "MAX_SHARE", -1.0)
        other = train(folder, tmp_path / "other")
    assert not (other / "progress").exists()
    first, second = (modaloom.load(path).model.loom.state_dict() for path in (run, other))
    assert all((tensor == second[name]).all() for name, tensor in first.items())


def test_their_number_is_bounded(
    folder: Path, tmp_path: Path, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "MAX_SNAPSHOTS", 3)
    run = train(folder, tmp_path / "run", steps=7)
    steps = [one["step"] for one in index(run)["snapshots"]]
    assert steps[-1] == 7
    assert len(steps) <= 3
    kept = {path.name for path in (run / "progress").iterdir() if path.is_dir()}
    assert kept == {"truth", *(f"{step:07d}" for step in steps)}


def test_a_resumed_run_replaces_what_it_repeats(folder: Path, tmp_path: Path, often: None) -> None:
    class Stopped(Exception):
        pass

    def stop(step: object) -> None:
        if (step.stage, step.step) == ("loom", 3):  # type: ignore[attr-defined]
            raise Stopped

    out = tmp_path / "run"
    with pytest.raises(Stopped):
        train(folder, out, callbacks=modaloom.TrainCallbacks(on_step=stop))
    train(folder, out, resume=True)
    assert [one["step"] for one in index(out)["snapshots"]] == [1, 2, 3, 4]
