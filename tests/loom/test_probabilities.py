"""Probabilities of categories, numbers, truth values and words. Oracle: how often a run draws each."""

import json
from pathlib import Path

import numpy as np
import pytest

import modaloom.api as modaloom
from modaloom.core.errors import BadValue
from modaloom.loom.config import LoomRunConfig
from modaloom.loom.run import TrainedRun
from modaloom.runs.config_io import override

SMALL = (
    *("loom.width=32", "loom.num_layers=1", "loom.num_heads=2", "training.precision=fp32"),
    *("data.limits.record.max_bins=4", "training.loom.batch_size=32"),
)
NUM_DRAWS = 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Diagnoses as words and as truth values, by a level; the side tells nothing."""
    root, random = tmp_path_factory.mktemp("patients") / "data", np.random.default_rng(0)
    root.mkdir()
    for i in range(80):
        high = bool(random.integers(2))
        ill = bool(random.random() < (0.8 if high else 0.2))
        scan = {"level": 5 + 5 * high, "side": str(random.choice(["left", "right"]))}
        (root / f"{i:03d}.scan.json").write_text(json.dumps(scan))
        (root / f"{i:03d}.found.json").write_text(json.dumps({"ill": ill}))
        (root / f"{i:03d}.note.txt").write_text("ill" if ill else "well")
    return root


@pytest.fixture(scope="module")
def run(folder: Path) -> TrainedRun:
    config = override(LoomRunConfig(), SMALL)
    return modaloom.train(folder, out=folder.parent / "run", steps=25, config=config, samples=4)


def test_values_are_as_probable_as_they_are_drawn(run: TrainedRun) -> None:
    given = {"scan": {"level": 10, "side": "left"}}
    found = run.probabilities(given, ["found", "note"])
    truth, words = found["found"], found["note"]
    assert truth.values == (False, True)
    assert {*words.values} == {"ill", "well"}
    assert truth.likeliest is truth.values[int(np.argmax(truth.probabilities))]
    drawn = {
        name: [
            made[name] for made in run.generate(given, name, n=NUM_DRAWS, steps=4, sampler="first_hitting")
        ]
        for name in found
    }
    seen = sum(one.get("ill") is True for one in drawn["found"])
    known = sum("ill" in one for one in drawn["found"])
    assert seen / known == pytest.approx(truth.probabilities[1], abs=0.1)
    assert 1 - known / NUM_DRAWS == pytest.approx(truth.other, abs=0.08)
    for word, p in zip(words.values, words.probabilities):
        share = drawn["note"].count(word) / NUM_DRAWS
        assert share == pytest.approx(p * (1 - words.other), abs=0.1)
    for one in found.values():
        assert sum(one.probabilities) == pytest.approx(1)


def test_what_is_missing_may_be_missing(run: TrainedRun) -> None:
    none, some = (run.probabilities(given, "found") for given in ({}, {"note": "ill"}))
    assert none.keys() == some.keys() == {"found"}
    assert none["found"].probabilities != some["found"].probabilities
    both = run.probabilities({"found": {"ill": True}}, "scan")
    assert {*both} == {"scan.level", "scan.side"}
    assert both["scan.level"].values == (5, 10)
    (side,) = run.probabilities({"scan": {"level": 10}}, "scan")
    assert side == "scan.side"
    assert run.probabilities({"scan": {"level": 10, "side": "left"}}, "scan") == {}


def test_every_sample_of_a_folder_has_its_own(run: TrainedRun, folder: Path, tmp_path: Path) -> None:
    some = tmp_path / "some"
    some.mkdir()
    for key in ("000", "001", "002"):
        (some / f"{key}.scan.json").write_bytes((folder / f"{key}.scan.json").read_bytes())
    (some / "001.found.json").write_text('{"ill": true}')
    (some / "003.scan.json").write_text("{")
    said: list[str] = []
    found = modaloom.probabilities(run, some, want="found", notify=said.append)
    assert [*found] == ["000", "001", "002"]  # what is wanted is not given
    for key, row in found.items():
        scan = json.loads((folder / f"{key}.scan.json").read_text())
        (alone,) = run.probabilities({"scan": scan}, "found").values()
        assert row["found"].probabilities == pytest.approx(alone.probabilities, abs=1e-5)
    assert any(one.startswith("left out: ") and "003.scan.json" in one for one in said)
    gaps = modaloom.probabilities(run, some, want="missing")
    assert {key: {*row} for key, row in gaps.items()} == {"000": {"found"}, "002": {"found"}}


def test_what_has_no_probabilities_is_refused(run: TrainedRun, folder: Path) -> None:
    for given, want, among, why in (
        ({"note": "ill"}, "note", {}, "both given and wanted"),
        ({}, "notes", {}, "did you mean 'note'"),
        ({}, "note", {"notes": ["ill"]}, "did you mean 'note'"),
        ({}, "note", {"note": []}, "no values to compare"),
        ({}, "found", {"note": ["ill"]}, "among names note, and is of texts that are wanted"),
        ({}, "found", {"found": [True]}, "among names found"),
    ):
        with pytest.raises(BadValue, match=why):
            run.probabilities(given, want, among=among)
    with pytest.raises(BadValue, match="orders"):
        run.probabilities(want="note", orders=0)
    with pytest.raises(BadValue, match="fills the gaps of a FOLDER"):
        modaloom.probabilities(run, want="missing")
    with pytest.raises(BadValue, match="among names note"):
        modaloom.probabilities(run, folder, want="missing", among={"note": ["ill"]})
    (one,) = run.probabilities(want="note", among={"note": "ill"}).values()
    assert one.values == ("ill",)
    few = run.probabilities({"found": {"ill": True}}, "note", among={"note": ["ill", "ill", "never"]})
    assert few["note"].values == ("ill", "never")
    assert sum(few["note"].probabilities) == pytest.approx(1)
