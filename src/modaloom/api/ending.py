"""What a training ends with: model, scores, samples, report, and the command that reproduces it."""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modaloom.api.callbacks import TrainCallbacks
from modaloom.api.runs import Trained
from modaloom.core.errors import ModaloomError
from modaloom.data.atomic_io import write_json
from modaloom.engine import Engine, EvaluationOptions
from modaloom.evaluation.directions import NUM_WANTED
from modaloom.evaluation.headline import headlines, sentence
from modaloom.evaluation.scores import diagnosis, warnings
from modaloom.loom.mutual_information import write_mutual_information
from modaloom.report.page import write_report
from modaloom.runs.card import Card
from modaloom.runs.config import RunConfig
from modaloom.runs.model import Part, save_model
from modaloom.runs.store import SCORES, USAGE, RunFolder
from modaloom.training.accelerator import Accelerator

SCORING_FRACTION, MIN_SCORING_MINUTES = 0.15, 1.0
"""Additional time for evaluation and samples, as a fraction of the training's minutes; minimum in minutes."""
MAX_MI_SAMPLES = 100
"""Maximum number of samples per pair for mutual information at the end of a training."""
MIN_SCORED, STEPS_PER_DIRECTION = 20, 50
"""Steps of the longest stage bound what is scored: at most a sample per direction for each step, but at least
so many, and a direction for so many steps, but at least `NUM_WANTED`."""
SHOWING_FRACTION = 0.35
"""Fraction of that time for the samples of the report."""


def scoring_minutes(run: RunConfig) -> float | None:
    """Returns the time budget of evaluation and samples; None (unlimited) without a budget in minutes."""
    minutes = run.training.minutes
    return None if minutes is None else max(MIN_SCORING_MINUTES, SCORING_FRACTION * minutes)


def reproduce(run: RunConfig, folder: str, path: Path, devices: int = 1, *, shard: bool = False) -> str:
    """Returns the command that reproduces the run, with its recorded steps and number of processes."""
    steps = ",".join(f"{stage}={count}" for stage, count in run.training.steps.items())
    words = ["modaloom", "train", folder, "--out", f"{path}-again", "--config", str(path / "config.json")]
    ranks = ["--devices", str(devices)] if devices > 1 else []
    ranks += ["--shard"] if shard else []
    return shlex.join([*words, "--steps", steps, *ranks])


def model_card(run: RunFolder[Any], command: str, limits: Sequence[str], pipeline: str) -> Card:
    """Returns the card of a run of this `Engine.pipeline`, without scores."""
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
        pipeline=pipeline,
        license=config.license,
    )


def finish(
    run: RunFolder[Any],
    engine: Engine[Any, Any],
    parts: dict[str, Part],
    usage: Mapping[str, Any],
    accelerator: Accelerator,
    samples: int,
    callbacks: TrainCallbacks,
) -> Trained:
    """Writes model, samples, scores and report. The model is written first, so that it is not lost if a later
    step fails; the scores last, because they mark the run as finished."""
    folder = Path(run.data()["folder"])
    size, shard = accelerator.distributed.size, accelerator.shard
    command = reproduce(run.run(), str(folder), run.path, size, shard=shard)
    card = model_card(run, command, engine.limits, engine.pipeline(parts))
    write_json(run.path / USAGE, usage)
    save_model(run.model, parts, card.markdown())
    trained: Trained = engine.load(run.path, device=accelerator.device.type)
    started, minutes, notes = time.monotonic(), scoring_minutes(run.run()), list[str]()
    steps = max(run.run().training.steps.values(), default=0)
    n = min(samples, engine.max_scored, max(MIN_SCORED, steps))

    def note(sentence: str) -> None:
        notes.append(sentence)
        callbacks.notify(sentence)

    try:
        options = EvaluationOptions(
            n=n,
            minutes=minutes and (1 - SHOWING_FRACTION) * minutes,
            most=max(NUM_WANTED, steps // STEPS_PER_DIRECTION),
            on_row=callbacks.on_row,
            notify=note,
        )
        rows = engine.evaluate(trained, folder, options)
        found = engine.mutual_information(trained, folder, n=min(samples, MAX_MI_SAMPLES))
        write_mutual_information(run.path, found)
    except ModaloomError as error:
        callbacks.notify(f"not evaluated: {error}")
        rows = []
    try:
        engine.write_samples(trained, folder, minutes=minutes and SHOWING_FRACTION * minutes)
    except ModaloomError as error:
        callbacks.notify(f"no samples: {error}")
    scores = [row.to_dict() for row in headlines(rows)]
    save_model(run.model, parts, replace(card, scores=scores).markdown())
    shown = [sentence(row) for row in headlines(rows)]
    diagnoses = diagnosis(run.path, rows)
    cautions = warnings(run.path, rows)
    write_json(
        run.path / SCORES,
        {
            "n": n,
            "rows": [row.to_dict() for row in rows],
            "notes": notes,
            "headline": shown,
            "warnings": cautions,
            "diagnosis": [one.to_dict() for one in diagnoses],
            "seconds": round(time.monotonic() - started, 1),
        },
    )
    write_report(run.path)
    for sentence_ in [*shown, *cautions, *(f"{one.row}: {one.sentence}" for one in diagnoses)]:
        callbacks.notify(sentence_)
    callbacks.notify(f"reproduce with: {command}")
    return trained
