"""What a training ends with: time for its scores, its card, and the command that reproduces it."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modaloom.runs.card import Card
from modaloom.runs.config import RunConfig
from modaloom.runs.store import RunFolder

SCORING_FRACTION, MIN_SCORING_MINUTES = 0.15, 1.0
"""Additional time for evaluation and samples, as a fraction of the training's minutes; minimum in minutes."""


def scoring_minutes(run: RunConfig) -> float | None:
    """Returns the time budget of evaluation and samples; None (unlimited) without a budget in minutes."""
    minutes = run.training.minutes
    return None if minutes is None else max(MIN_SCORING_MINUTES, SCORING_FRACTION * minutes)


def reproduce(run: RunConfig, folder: str, path: Path) -> str:
    """Returns the command that reproduces the run, with its recorded steps."""
    steps = ",".join(f"{stage}={count}" for stage, count in run.training.steps.items())
    words = ["modaloom", "train", folder, "--out", f"{path}-again", "--config", str(path / "config.json")]
    return shlex.join([*words, "--steps", steps])


def model_card(run: RunFolder[Any], command: str, limits: Sequence[str]) -> Card:
    """Returns the card of a run, without scores."""
    data, config = run.data(), run.run()
    return Card(
        title=run.path.name,
        counts=data["counts"],
        split=data["split"],
        scores=[],
        limits=limits,
        command=command,
        dataset=Path(data["folder"]).name,
        tags=[config.engine],
        license=config.license,
    )
