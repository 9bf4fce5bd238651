"""A finished run as a folder for others: what inference needs, without places of this machine."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from modaloom.data.atomic_io import encode, new_folder, write_file
from modaloom.runs.config import RunConfig
from modaloom.runs.config_io import to_plain
from modaloom.runs.model import CARD, hub_files
from modaloom.runs.store import CONFIG, DATA, SCORES, RunFiles


def save_pretrained(run: Path, config: RunConfig, directory: str | os.PathLike[str]) -> None:
    """Write a run in the layout of the Hugging Face hub: `README.md`, `config.json`, `model.safetensors`, as
    huggingface_hub's `PyTorchModelHubMixin` does, and what else a run is. It is a run, and loads as one.

    Args:
        run: the folder of a finished run.
        config: its configuration.
        directory: to be written; missing or empty.

    Raises:
        BadRun: an unfinished or damaged run.
        BadFolder: the directory is not empty.
        WorkFailed: it cannot be written.
    """
    files = RunFiles(run)
    content = {**portable_files(files, config), CARD: portable_card(files).encode(), **hub_files(files.model)}
    with new_folder(directory) as root:
        for name, data in content.items():
            write_file(root / name, data)


def portable_files(files: RunFiles, config: RunConfig) -> dict[str, bytes]:
    """Name → content of a run's files beside its model."""
    data, scores = files.data(), files.path / SCORES
    found = {CONFIG: encode(to_plain(config.portable())), DATA: encode(_portable(data))}
    return found | ({SCORES: scores.read_bytes()} if scores.is_file() else {})


def portable_card(files: RunFiles) -> str:
    """The model card of a run, with names for the places of its data and of itself."""
    folder = files.model if files.model.is_dir() else files.path
    card = (folder / CARD).read_text(encoding="utf-8")
    for place in (Path(str(files.data()["folder"])), files.path.resolve(), files.path):
        if place.name:  # "." is in every number
            card = re.sub(rf"(?<![^\s'\"]){re.escape(str(place))}", place.name.replace("\\", r"\\"), card)
    return card


def _portable(data: Mapping[str, Any]) -> dict[str, Any]:
    """The content of data.json, with names for the data folder and for runs that tokenizers are from."""
    tokenizers = {name: _named(facts) for name, facts in data.get("tokenizers", {}).items()}
    named = {"tokenizers": tokenizers} if tokenizers else {}
    return {**data, **named, "folder": Path(str(data["folder"])).name}


def _named(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    if "from" not in facts:
        return facts
    return {**facts, "from": {**facts["from"], "run": Path(facts["from"]["run"]).name}}
