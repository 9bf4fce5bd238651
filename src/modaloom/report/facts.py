"""What a run folder tells. Every file of it may be missing, and a damaged one counts as missing."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modaloom.core.errors import BadRun
from modaloom.runs.store import CONFIG, DATA, Record, RunFolder

Json = dict[str, Any]

SCORES, USAGE, SAMPLES, INDEX = "scores.json", "usage.json", "samples", "index.json"


@dataclass(frozen=True)
class Facts:
    """The files of a run folder, read."""

    folder: Path
    finished: bool
    """Whether there is a model."""
    config: Json
    data: Json
    scores: Json
    usage: Json
    samples: Json
    metrics: list[Record]
    damaged: tuple[str, ...]
    """Names of files that are there and hold no JSON object."""


def read(folder: Path) -> Facts:
    """Raises `BadRun` if there is no such folder."""
    if not folder.is_dir():
        raise BadRun(f"{folder} is no run folder; give the --out of a training")
    names = (CONFIG, DATA, SCORES, USAGE, f"{SAMPLES}/{INDEX}")
    found = {name: _load(folder / name) for name in names}
    run = RunFolder(folder)
    config, data, scores, usage, samples = (found[name] or {} for name in names)
    damaged = tuple(name for name in names if found[name] is None)
    return Facts(folder, run.model.is_dir(), config, data, scores, usage, samples, run.metrics(), damaged)


def _load(path: Path) -> Json | None:
    """The JSON object of a file, empty if there is no file, None if it is damaged."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
