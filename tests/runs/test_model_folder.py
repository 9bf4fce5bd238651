"""The model folder and its card."""

import json
import os
from pathlib import Path

import pytest
import torch

from modaloom.core.errors import BadRun
from modaloom.data.atomic_io import digest, encode
from modaloom.runs.card import Card
from modaloom.runs.model import CONFIG, Part, load_model, save_model

PARTS = {
    "loom": Part({"w": torch.arange(6.0).reshape(2, 3)}, {"width": 3}),
    "tokenizer.image": Part({}, {"modality": "image"}),
}


def _rewrite(folder: Path, parts: dict[str, object]) -> None:
    """Forge a configuration whose own hash is right."""
    forged = {"version": 1, "hash": digest(encode(parts)), "parts": parts}
    (folder / CONFIG).write_text(json.dumps(forged))


def test_there_and_back(tmp_path: Path) -> None:
    name = save_model(tmp_path / "model", PARTS, "# card\n")
    model = load_model(tmp_path / "model")
    assert model.hash == name
    assert list(model.parts) == list(PARTS)
    assert torch.equal(model.parts["loom"].tensors["w"], PARTS["loom"].tensors["w"])
    assert model.parts["tokenizer.image"] == PARTS["tokenizer.image"]
    files = ["README.md", "config.json", "loom.safetensors", "tokenizer.image.safetensors"]
    assert sorted(os.listdir(tmp_path / "model")) == files


def test_the_hash_names_weights_and_configuration_but_not_the_card(tmp_path: Path) -> None:
    other_weights = {"loom": Part({"w": torch.zeros(2, 3)}, {"width": 3})}
    other_state = {"loom": Part({"w": torch.zeros(2, 3)}, {"width": 4})}
    hashes = [save_model(tmp_path / "m", parts, "a") for parts in (PARTS, other_weights, other_state, PARTS)]
    assert len(set(hashes)) == 3
    assert hashes[0] == hashes[3] == save_model(tmp_path / "m", PARTS, "b")


@pytest.mark.parametrize("file", ["loom.safetensors", "config.json"])
@pytest.mark.parametrize("rot", ["flip", "cut", "missing"])
def test_damage(tmp_path: Path, file: str, rot: str) -> None:
    save_model(tmp_path, PARTS, "")
    path = tmp_path / file
    data = path.read_bytes()
    path.write_bytes(
        data[:-9] if rot == "cut" else data.replace(b"3", b"2", 1) if file == CONFIG else data[:-1] + b"x"
    )
    if rot == "missing":
        path.unlink()
    with pytest.raises(BadRun):
        load_model(tmp_path)


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(BadRun, match=r"no finished model.*--resume"):
        load_model(tmp_path / "none")
    save_model(tmp_path, PARTS, "")
    config = tmp_path / "config.json"
    says = {
        '{"version": 2}': "version 2; this modaloom reads",
        "[]": "damaged",
        '{"version": 1, "parts": {"loom": {}}}': "damaged",
        '{"version": 1, "parts": 3}': "damaged",
    }
    for text, words in says.items():
        config.write_text(text)
        with pytest.raises(BadRun, match=words):
            load_model(tmp_path)


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/b", "", ".hidden", "..", "a\n"])
def test_names_that_are_paths(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadRun, match="no name of a part"):
        save_model(tmp_path / "model", {name: Part({}, {})}, "")
    save_model(tmp_path / "model", PARTS, "")
    _rewrite(tmp_path / "model", {name: {"state": {}, "sha256": "0" * 64}})
    with pytest.raises(BadRun, match="no name of a part"):
        load_model(tmp_path / "model")


def test_a_pickle_by_another_name_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path, PARTS, "")
    path = tmp_path / "loom.safetensors"
    torch.save({"w": torch.ones(1)}, path)
    _rewrite(tmp_path, {"loom": {"state": {}, "sha256": digest(path.read_bytes())}})
    with pytest.raises(BadRun, match="damaged"):
        load_model(tmp_path)


def test_the_card_says_everything() -> None:
    scores = [
        {"row": "image->word", "split": "test", "metric": "exact", "value": 0.953, "floor": None, "n": 360}
    ]
    card = Card(
        "digits", {"train": 1437, "test": 360}, "by key", scores, ["28 px only"], "modaloom train digits"
    )
    text = card.markdown()
    lines = (
        "# digits",
        "- train: 1,437 samples",
        "by key",
        "| image->word | test | exact | 0.953 | – | 360 |",
        "- 28 px only",
    )
    for line in (*lines, "```\nmodaloom train digits\n```"):
        assert line in text
    assert "Not evaluated." in Card("x", {}, "", [], [], "").markdown()
