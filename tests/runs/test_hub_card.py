"""A card's metadata, validated by huggingface_hub's own reading of model cards."""

from dataclasses import replace
from pathlib import Path

import pytest

from modaloom.evaluation.rows import ScoreRow
from modaloom.runs.card import Card

hub = pytest.importorskip("huggingface_hub")
data = pytest.importorskip("huggingface_hub.repocard_data")

ROWS = [
    ScoreRow("image->word", "test", "exact", 0.953, 0.91, 0.98, 0.075, 0.917, 0.983, 1.0, 360).to_dict(),
    ScoreRow("word->image", "level1", "mse", 4e-05, n=9).to_dict(),
    ScoreRow("word->image", "test", "psnr", float("nan"), n=9).to_dict(),
]
CARD = Card(
    title='digits: "mine"',
    counts={"train": 3},
    split="by key",
    scores=ROWS,
    limits=[],
    command="modaloom train",
    dataset="digits",
    tags=["loom"],
    license="cc0-1.0",
)


def written(card: Card, folder: Path) -> Path:
    path = folder / "README.md"
    path.write_text(card.markdown(), encoding="utf-8")
    return path


def test_the_hub_reads_what_was_meant(tmp_path: Path) -> None:
    path = written(CARD, tmp_path)
    assert hub.metadata_load(path) == CARD.metadata()
    card = hub.ModelCard.load(path)
    assert (card.data.library_name, card.data.pipeline_tag) == ("modaloom", "any-to-any")
    assert (card.data.tags, card.data.license) == (["modaloom", "loom"], "cc0-1.0")
    assert card.text.lstrip().startswith('# digits: "mine"\n')
    restorer = hub.ModelCard(replace(CARD, pipeline="image-to-image").markdown()).data
    assert restorer.pipeline_tag == restorer.eval_results[0].task_type == "image-to-image"
    assert hub.ModelCard(str(card)).data.to_dict() == card.data.to_dict()


def test_scores_stand_beside_their_intervals_and_ceilings(tmp_path: Path) -> None:
    index = hub.metadata_load(written(CARD, tmp_path))["model-index"]
    name, found = data.model_index_to_eval_results(index)
    assert name == CARD.title
    exact, error = found  # what is no number is left out
    assert (exact.task_type, exact.task_name) == ("any-to-any", "image->word")
    assert (exact.dataset_name, exact.dataset_split) == ("digits", "test")
    assert (exact.metric_type, exact.metric_value) == ("exact", 0.953)
    assert exact.metric_name == "exact, 95% interval 0.91 to 0.98, ceiling 1"
    args = {"low": 0.91, "high": 0.98, "floor": 0.075, "baseline": 0.917, "retrieval": 0.983, "ceiling": 1.0}
    assert exact.metric_args == args | {"n": 360}
    assert (error.metric_value, error.metric_args) == (4e-05, {"n": 9})
    assert data.eval_results_to_model_index(name, found) == index


def test_without_scores_and_license(tmp_path: Path) -> None:
    found = hub.metadata_load(written(replace(CARD, scores=[], license=""), tmp_path))
    assert found.keys() == {"library_name", "pipeline_tag", "tags"}
