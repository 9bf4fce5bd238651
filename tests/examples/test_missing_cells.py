"""Tables with holes: the folder, and the arithmetic of the benchmarks of tables, directions and features."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_wine

from modaloom.data.folder import open_folder
from modaloom.data.reader import Reader
from modaloom.evaluation import ScoreRow
from modaloom.loom.probabilities import Distribution


def test_a_table_has_its_numbers_and_holes(load: Any, tmp_path: Path) -> None:
    """Oracle: scikit-learn's own table."""
    example = load("examples/tables")
    example["write_table"]("wine", tmp_path / "wine", seed=3)
    rows, index = example["rows_of"]("wine", 3), open_folder(tmp_path / "wine")
    assert index.modality_of == {"features": "record", "label": "text"}
    assert {*(index.splits or {}).values()} == {"train", "val", "test"}
    reader, wine = Reader(index), load_wine()
    for sample in index.samples:
        streams, i = reader.read(sample).streams, int(sample.key.split("/")[1])
        assert streams["label"] == wine.target_names[wine.target[i]]
        told = streams["features"]
        assert sample.key.startswith(f"{rows.splits[i]}/")
        expected = dict(zip(rows.columns, wine.data[i]))
        assert told == {name: expected[name] for name in told}
        assert len(told) == (~rows.missing[i]).sum()
    assert rows.missing.mean() == pytest.approx(0.2, abs=0.02)
    assert not np.array_equal(rows.missing, example["rows_of"]("wine", 4).missing)


def test_labels_and_cells_are_scored_on_the_test_rows(load: Any) -> None:
    tables = load("benchmarks/tables")
    truth = np.array([0, 0, 1, 1])
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]])
    found = tables["label_scores"](p, truth)
    assert (found["AUROC"], found["accuracy"]) == (1.0, 0.75)
    assert found["Brier"] == pytest.approx(2 * (0.01 + 0.36 + 0.09 + 0.04) / 4)
    rows = SimpleNamespace(
        columns=("a", "b"),
        whole=np.array([[9.0, 9.0], [1.0, 2.0], [3.0, 4.0]]),
        missing=np.array([[True, True], [True, False], [False, True]]),
        splits=np.array(["train", "test", "test"]),
    )
    filled = np.array([[3.0, 99.0], [99.0, 4.0]])
    assert tables["cell_error"](filled, rows, np.array([2.0, 1.0])) == pytest.approx(np.sqrt(0.5))


def test_missing_cells_are_the_mean_of_their_distribution(load: Any) -> None:
    tables = load("benchmarks/tables")
    asked: list[Any] = []

    def probabilities(given: Any, want: Any, *, among: Any) -> Any:
        asked.append((given, want))
        cell = Distribution((1.0, 5.0), (0.25, 0.75), 0.0)
        return {"label": Distribution(("x", "y"), (0.3, 0.7), 0.0), "features.a": cell}

    run = SimpleNamespace(probabilities=probabilities)
    known = np.array([[0.0, 0.0], [np.nan, 7.0]])
    rows = SimpleNamespace(columns=("a", "b"), splits=np.array(["train", "test"]), known=known)
    labels, filled = tables["of_run"](run, rows, ["x", "y"])
    assert asked == [({"features": {"b": 7.0}}, ["label", "features"])]
    assert labels.tolist() == [[0.3, 0.7]]
    assert filled.tolist() == [[4.0, 7.0]]


def test_a_joint_model_is_above_where_errors_are_less(load: Any) -> None:
    joint = load("benchmarks/joint")

    def row(name: str, metric: str, value: float) -> ScoreRow:
        return ScoreRow(name, "test", metric, value, None, None, None, None, None, None, 1)

    ours = [row("a->b", "exact", 0.8), row("b->a", "error", 0.5)]
    theirs = [row("a->b", "exact", 0.7), row("b->a", "error", 0.9)]
    found = joint["figures_of"](ours, theirs)
    assert found[joint["GAIN"]] == pytest.approx(0.25)
    assert found[joint["WINS"]] == 1
    assert found["b->a, test, error: one for each"] == 0.9
    assert joint["directions"]("abc")[:2] == [("a", "b"), ("a", "c")]


def test_features_are_compared_at_equal_dimensions(load: Any) -> None:
    features = load("benchmarks/features")
    random = np.random.default_rng(0)
    words = random.permutation(np.repeat(["one", "two"], 40))
    noise = random.standard_normal((80, 6))
    told = noise + 9 * (words == "two")[:, None]
    columns = {"pixels": noise, "latents": told, "code vectors": told}
    parts = [{name: one[part] for name, one in columns.items()} for part in (slice(50), slice(50, None))]
    found = features["figures_of"](*parts, (words[:50], words[50:]), dims=[2, 4], shares=[1.0])
    assert found["kNN, 2 dimensions, 100% of the labels: latents"] == 1
    gains = features["gains"](found)
    assert len(gains) == 4
    assert gains["kNN: latents above principal components, mean"] > 0.2
