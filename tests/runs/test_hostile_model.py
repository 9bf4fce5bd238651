"""A model folder from anybody: what its configuration asks for is checked before there is memory for it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import modaloom.api as modaloom
from modaloom.core.errors import BadRun, ModaloomError
from modaloom.core.json_text import from_json
from modaloom.data.atomic_io import digest, encode
from modaloom.evaluation.scores import scores
from modaloom.modalities import MODALITIES
from modaloom.runs.model import CONFIG, with_tensors
from modaloom.runs.store import RunFiles

BUNDLED = Path(modaloom.__file__).parents[1] / "bundled" / "demo"
NESTED = "[" * 200_000


def forged(root: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The bundled run with changed parts, whose hash is right."""
    shutil.copytree(BUNDLED, root)
    path = root / "model" / CONFIG
    plain = json.loads(path.read_text())
    change(plain["parts"])
    plain["hash"] = digest(encode(plain["parts"]))
    path.write_text(json.dumps(plain))
    return root


def wider(parts: dict[str, Any]) -> None:
    parts["loom"]["state"]["config"]["width"] = 2**30


def deeper(parts: dict[str, Any]) -> None:
    parts["loom"]["state"]["config"]["num_layers"] = 50


def more_codes(parts: dict[str, Any]) -> None:
    parts["image"]["state"]["state"]["config"]["codebook_size"] = 2**40


def larger(parts: dict[str, Any]) -> None:
    parts["image"]["state"]["state"]["config"]["latent_dim"] = 2**30


@pytest.mark.parametrize("change", [wider, deeper, more_codes, larger])
def test_sizes_that_the_tensors_do_not_have_are_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    with pytest.raises(BadRun):
        modaloom.load(forged(tmp_path / "run", change))


def test_what_is_unchanged_is_loaded(tmp_path: Path) -> None:
    modaloom.load(forged(tmp_path / "run", lambda parts: None))


def test_the_message_names_the_tensor() -> None:
    tensors = {"weight": torch.zeros(3, 2), "bias": torch.zeros(3)}
    assert torch.equal(with_tensors(lambda: nn.Linear(2, 3), tensors).weight, torch.zeros(3, 2))
    with pytest.raises(BadRun, match=r"asks for a tensor weight of \[1073741824, 2\]; its file has \[3, 2\]"):
        with_tensors(lambda: nn.Linear(2, 2**30, bias=False), {"weight": tensors["weight"]})
    with pytest.raises(BadRun, match=r"a tensor bias of None; its file has \[3\]"):
        with_tensors(lambda: nn.Linear(2, 3, bias=False), tensors)


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("model/config.json", modaloom.load),
        ("config.json", modaloom.load),
        ("data.json", lambda root: RunFiles(root).data()),
    ],
)
def test_endless_nesting_is_refused(tmp_path: Path, file: str, read: Callable[[Path], object]) -> None:
    root = tmp_path / "run"
    shutil.copytree(BUNDLED, root)
    (root / file).write_text(NESTED)
    with pytest.raises(ModaloomError):
        read(root)


def test_scores_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    root = tmp_path / "run"
    shutil.copytree(BUNDLED, root)
    (root / "scores.json").write_text(NESTED)
    assert scores(root) == []


def test_endless_nesting_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nested"):
        from_json(NESTED)
    (tmp_path / "row.json").write_text(NESTED)
    with pytest.raises(ModaloomError, match="nested"):
        MODALITIES["record"].read(tmp_path / "row.json")
