"""Reads the files of a run folder. Every file may be missing; a damaged one counts as missing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadRun
from modaloom.core.json_text import from_json
from modaloom.runs.store import (
    ATLAS,
    CONFIG,
    DATA,
    INDEX,
    INFORMATION,
    PROGRESS,
    SAMPLES,
    SCORES,
    USAGE,
    Record,
    RunFiles,
)

Json = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """Contents of a run folder."""

    folder: Path
    finished: bool
    """Whether there is a trained model."""
    config: Json
    data: Json
    scores: Json
    usage: Json
    information: Json
    samples: Json
    atlas: Json
    progress: Json
    metrics: list[Record]
    damaged: tuple[str, ...]
    """Names of files that exist but do not contain a JSON object."""
    private: bool
    """Whether the page may name no file of the data."""


def read(folder: Path, *, private: bool = False) -> Facts:
    """Reads a run folder. Raises `BadRun` if it does not exist."""
    if not folder.is_dir():
        raise BadRun(f"{folder} is no run folder; give the --out of a training")
    paths = {
        "config": CONFIG,
        "data": DATA,
        "scores": SCORES,
        "usage": USAGE,
        "information": INFORMATION,
        "samples": f"{SAMPLES}/{INDEX}",
        "atlas": f"{SAMPLES}/{ATLAS}",
        "progress": f"{PROGRESS}/{INDEX}",
    }
    found = {name: _load(folder / path) for name, path in paths.items()}
    run = RunFiles(folder)
    return Facts(
        folder=folder,
        finished=run.model.is_dir(),
        metrics=run.metrics(),
        damaged=tuple(path for name, path in paths.items() if found[name] is None),
        private=private,
        **{name: content or {} for name, content in found.items()},
    )


def _load(path: Path) -> Json | None:
    """Returns a file's JSON object; empty if the file is missing, None if it is damaged."""
    try:
        value = from_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
