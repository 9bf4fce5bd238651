"""Preset `auto`: the largest configuration that trains well within the time budget, by short trials.

Every rung of the ladder is built on a few samples of the data and takes a few real training steps on the
device; the ladder is climbed while the steps that fit the budget suffice. Deterministic up to the speed of
the machine; the choice is written to the run's configuration like any other.
"""

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

import torch

from modaloom.core.errors import BadFolder
from modaloom.core.types import Sample
from modaloom.data.folder import Folder
from modaloom.data.notices import Notify, silent
from modaloom.data.split import split
from modaloom.loom.config import SHARP, LoomRunConfig, base, pictures, small, tiny
from modaloom.loom.files import LOOM
from modaloom.loom.trainer import LoomTrainer
from modaloom.runs.store import RunFolder
from modaloom.training.accelerator import Accelerator
from modaloom.training.pace import measure_pace

TRIAL_SAMPLES, MIN_STREAM_SAMPLES = 256, 16
"""Samples of a trial, spread over the folder, and samples of each stream among them."""
TRIAL_SECONDS = 1.0
"""Seconds of timed steps per stage."""
MIN_TOKENIZER_STEPS, MIN_LOOM_STEPS = 1000, 2000
"""Steps below which a larger configuration is not worth its cost."""
MIN_GROWTH = 3
"""A rung costs at least this many times the previous one: without so many steps to spare it is not tried."""


@dataclass(frozen=True)
class Rung:
    """A configuration of the ladder."""

    name: str
    config: Callable[[], LoomRunConfig]
    min_samples: int = 0
    """Training samples below which its networks would memorise."""


def tiny_64() -> LoomRunConfig:
    """The tiny networks on images and clips up to 64 px, with an 8 × 8 code grid."""
    run = tiny()
    data = replace(run.data, limits={**pictures(max_side=64), "video": {"max_side": 64}})
    return replace(run, data=data, tokenizers=pictures(code_grid=8, adversary=SHARP))


LADDER: Sequence[Rung] = (
    Rung("tiny", tiny),
    Rung("tiny at 64 px", tiny_64),
    Rung("small", small, min_samples=5_000),
    Rung("base", base, min_samples=50_000),
)
"""In increasing order of cost and image size."""


class Trials(Protocol):
    """Measures configurations on the data and the device."""

    def missing(self, config: LoomRunConfig) -> Mapping[str, int]:
        """Limit, as MODALITY.FIELD → the value that would keep all of the data; empty if nothing is
        shortened."""

    def steps(self, config: LoomRunConfig, minutes: float) -> Mapping[str, int]:
        """Stage → steps that fit its share of the budget. Raises `torch.OutOfMemoryError`."""


def choose(
    folder: Folder,
    complete: Callable[[LoomRunConfig], LoomRunConfig],
    minutes: float,
    accelerator: Accelerator,
    *,
    notify: Notify = silent,
    trials: Trials | None = None,
) -> LoomRunConfig:
    """Choose a configuration for a folder, a device and a time budget.

    The first rung is taken if its limits shorten nothing, or if no larger one trains well in the time.

    Args:
        folder: the data.
        complete: applies the user's own settings to a rung's configuration.
        minutes: time budget of the training, > 0.
        accelerator: device and precision.
        notify: gets one sentence that says what was chosen and why.
        trials: measures configurations; None: on the folder's first samples and the device.

    Returns:
        The configuration, with `complete` applied.

    Raises:
        BadValue: `complete` refuses a setting.
    """
    trials = trials or FolderTrials(folder, accelerator)
    rung, config = LADDER[0], complete(LADDER[0].config())
    try:
        missing = trials.missing(config)
    except BadFolder:  # its few samples say nothing; the training itself reads all
        return config
    if not missing:
        return config
    steps, reason = trials.steps(config, minutes), ""
    for larger in LADDER[1:]:
        candidate = complete(larger.config())
        if candidate.data.limits == config.data.limits:
            break  # the user's own limits
        if len(folder.samples) < larger.min_samples:
            reason = f"{larger.name} is for {larger.min_samples:,} samples and more"
            break
        if (enough := sufficiency(steps)) < MIN_GROWTH:
            reason = _more_time(larger, minutes * MIN_GROWTH / enough, "at least")
            break
        try:
            possible = trials.steps(candidate, minutes)
        except torch.OutOfMemoryError:
            reason = f"{larger.name} does not fit the device's memory"
            break
        if (enough := sufficiency(possible)) < 1:
            reason = _more_time(larger, minutes / enough, "about")
            break
        rung, config, steps = larger, candidate, possible
        missing = {name: value for name, value in missing.items() if value > _limit(config, name)}
        if not missing:
            break
    planned = " + ".join(f"{count:,} {stage}" for stage, count in steps.items())
    where = f"{accelerator.device.type}, {accelerator.precision}"
    lost = [f"{name} is {_limit(config, name)}, the data has up to {v}" for name, v in missing.items()]
    said = [
        f"preset auto: {rung.name}, about {planned} steps in {minutes:g} minutes ({where})",
        *lost,
        reason,
    ]
    notify("; ".join(filter(None, said)))
    return config


def sufficiency(steps: Mapping[str, int]) -> float:
    """Steps relative to those that are needed, of the worst stage; 1 suffices."""
    needed = {LOOM: MIN_LOOM_STEPS}
    return min(max(1, count) / needed.get(stage, MIN_TOKENIZER_STEPS) for stage, count in steps.items())


@dataclass(frozen=True)
class FolderTrials:
    """`Trials` on a few samples of a folder."""

    folder: Folder
    accelerator: Accelerator

    def missing(self, config: LoomRunConfig) -> Mapping[str, int]:
        found: dict[str, int] = {}
        with self._trainer(config) as trainer:
            data = trainer.data
            for stream, plan in data.plans.items():
                for value in data.reader.column(stream, data.samples):
                    for one in data.tokenizers[plan.tokenizer].view(plan.grid).shortened(value):
                        limit = f"{plan.modality}.{one.limit}"
                        if one.limit and one.needed > _limit(config, limit):
                            found[limit] = max(found.get(limit, 0), one.needed)
        return found

    def steps(self, config: LoomRunConfig, minutes: float) -> Mapping[str, int]:
        found = {}
        with self._trainer(config) as trainer:
            plans = trainer.plans()
            whole = sum(plan.time_share for plan in plans)
            for plan in plans:
                stage = plan.build()
                pace = measure_pace(stage, self.accelerator, TRIAL_SECONDS, seed=config.seed)
                found[stage.name] = int(60 * minutes * plan.time_share / whole / pace)
        return found

    @contextmanager
    def _trainer(self, config: LoomRunConfig) -> Iterator[LoomTrainer]:
        few = replace(self.folder, samples=_few(self.folder, config))
        with (
            tempfile.TemporaryDirectory(prefix="modaloom-") as place,
            RunFolder.create(Path(place) / "trial", config) as run,
        ):
            yield LoomTrainer(run, few, self.accelerator, notify=silent)


def _few(folder: Folder, config: LoomRunConfig) -> list[Sample]:
    """Training samples spread over the folder, some of every stream."""
    split_of = split(folder, by=config.data.group)
    training = [sample for sample in folder.samples if split_of[sample.key] == "train"]
    chosen = {s.key: s for s in training[:: max(1, len(training) // TRIAL_SAMPLES)]}
    for stream in folder.modality_of:
        having = (s for s in training if stream in s.streams)
        chosen |= {s.key: s for s in islice(having, MIN_STREAM_SAMPLES)}
    return sorted(chosen.values(), key=lambda sample: sample.key)


def _limit(config: LoomRunConfig, name: str) -> int:
    modality, _, field = name.partition(".")
    limit: int = getattr(config.data.limits_of(modality), field)
    return limit


def _more_time(rung: Rung, minutes: float, words: str) -> str:
    return f"{rung.name} needs {words} {math.ceil(minutes):,} minutes on this device, or a faster one"
