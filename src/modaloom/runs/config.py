"""What every run's configuration holds, whatever is trained; a kind of run adds its own sections."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from modaloom.core.errors import BadFile, BadValue, check_range
from modaloom.modalities.base import Limits
from modaloom.runs.schedule import Schedule, trapezoid

VERSION = 2
"""The version of the run folder's format that is written."""


@dataclass(frozen=True)
class DataConfig:
    """Which part of a folder is used, and how."""

    streams: tuple[str, ...] = ()
    """Streams to use; empty: all."""
    split_by: str = "key"
    """key | folder | a regular expression | record.FIELD: what stays on one side of the split."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class OptimizerConfig:
    """Muon on hidden matrices, AdamW on the rest, one schedule for both."""

    learning_rate: float = 2e-3
    """The peak of AdamW's."""
    matrix_learning_rate: float = 2e-3
    """The peak of Muon's, whose updates are scaled to the size of AdamW's."""
    weight_decay: float = 0.01
    """Of matrices and kernels; vectors have none."""
    warmup: float = 0.05
    """Share of the steps in which the rate rises from 0."""
    decay: float = 0.6
    """Share of the steps, the last ones, in which it falls to 0."""
    max_grad_norm: float = 1.0
    """Largest norm of the gradient."""
    batch_size: int = 64
    """Samples a step."""

    def __post_init__(self) -> None:
        check_range("learning_rate", self.learning_rate, 0, 10, open_low=True)
        check_range("matrix_learning_rate", self.matrix_learning_rate, 0, 10, open_low=True)
        check_range("weight_decay", self.weight_decay, 0, 10)
        check_range("warmup", self.warmup, 0, 1)
        check_range("decay", self.decay, 0, 1)
        check_range("max_grad_norm", self.max_grad_norm, 0, open_low=True)
        check_range("batch_size", self.batch_size, 1)


@dataclass(frozen=True)
class TrainingConfig:
    """How long, how fast, how safe."""

    minutes: float | None = None
    """Wall-clock budget of all stages together."""
    steps: dict[str, int] = field(default_factory=dict)
    """Stage → its number of steps: given, or recorded when a stage with a budget ends."""
    schedule: dict[str, Schedule] = field(default_factory=dict)
    """Stage → the schedule that its budget led to, as it happened."""
    ema_decay: float = 0.999
    """Decay of the weight average a step, reached gradually."""
    checkpoint_seconds: float = 60.0
    log_every: int = 10
    """Steps between two lines of metrics.jsonl."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 where it is fast; what that was is recorded when the training begins."""

    def __post_init__(self) -> None:
        if self.minutes is not None:
            check_range("minutes", self.minutes, 0, 525_600, open_low=True)
        for stage, steps in self.steps.items():
            check_range(f"steps.{stage}", steps, 1)
        check_range("ema_decay", self.ema_decay, 0, 1)
        check_range("checkpoint_seconds", self.checkpoint_seconds, 0)
        check_range("log_every", self.log_every, 1)

    def schedule_of(self, stage: str, optimizer: OptimizerConfig) -> Schedule:
        """The schedule of a stage whose steps are known: the recorded one, unless its steps are others."""
        steps, recorded = self.steps[stage], self.schedule.get(stage)
        if recorded is not None and recorded.total == steps:
            return recorded
        return trapezoid(steps, warmup=optimizer.warmup, decay=optimizer.decay)

    def with_record(self, kept: "TrainingConfig") -> "TrainingConfig":
        """These settings with what another training recorded as it went."""
        precision = kept.precision if self.precision == "auto" else self.precision
        return replace(self, steps=kept.steps, schedule=kept.schedule, precision=precision)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The sections that every engine's configuration has; a subclass narrows `engine` and adds its own."""

    version: int = VERSION
    engine: str = ""
    """A name in ENGINES: which kind of model is trained."""
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise BadValue(f"version is {self.version}; this modaloom reads {VERSION}")
        check_range("seed", self.seed, 0, 2**63 - 1)


def read_config_file(path: Path) -> dict[str, Any]:
    """The keys of a TOML file, or of a JSON file such as a run folder's config.json. Raises `BadFile`."""
    parse = json.loads if path.suffix == ".json" else tomllib.loads
    try:
        plain = parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise BadFile(path, str(error)) from error
    if not isinstance(plain, dict):
        raise BadFile(path, f"holds a JSON {type(plain).__name__}; a configuration is an object")
    return plain


def merge(defaults: Any, given: Any) -> Any:
    """`given` over `defaults`, key by key: part of a table leaves the rest of it as it is."""
    if not (isinstance(defaults, Mapping) and isinstance(given, Mapping)):
        return given
    return {**defaults, **{key: merge(defaults.get(key), value) for key, value in given.items()}}
