"""Configuration sections common to all runs; each engine adds its own sections."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from modaloom.core.defaults import LAYOUT
from modaloom.core.errors import BadFile, BadValue, check_choice, check_range
from modaloom.core.json_text import from_json
from modaloom.data.folder import Folder, open_folder
from modaloom.data.layout import LAYOUTS
from modaloom.modalities import MODALITIES, Limits
from modaloom.runs.config_io import changed
from modaloom.runs.schedule import Schedule, trapezoid

VERSION = 2
"""Format version of the run folder."""


@dataclass(frozen=True)
class DataConfig:
    """Streams, split and limits of the training data."""

    streams: tuple[str, ...] = ()
    """Streams to use; empty: all."""
    split_by: str = "key"
    """key | sample | folder | a regular expression | STREAM | record.FIELD: what is never divided by the
    split. A key is divided from those of its group, if a table names groups, by `sample` only."""
    layout: str = LAYOUT
    """One of `LAYOUTS`: how keys and streams are in the names of files."""
    limits: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Modality → overrides of its limits on the size of values."""

    def __post_init__(self) -> None:
        check_choice("layout", self.layout, LAYOUTS)
        for modality in self.limits:
            check_choice("limits", f"data.limits.{modality}", [f"data.limits.{name}" for name in MODALITIES])
            self.limits_of(modality)

    def limits_of(self, modality: str) -> Limits:
        """Limits of a modality. Raises `BadValue` for limits that it does not have."""
        try:
            return changed(MODALITIES[modality].limits, self.limits.get(modality, {}).items())
        except BadValue as error:
            raise BadValue(f"data.limits.{modality}: {error}") from error

    def open(self, path: Path) -> Folder:
        """A folder as these settings read it. Raises the errors of `open_folder`."""
        return open_folder(path, self.layout, self.limits_of)

    @property
    def group(self) -> str | None:
        """`split_by` as an argument of `data.split.split`; None: every sample is its own group."""
        return None if self.split_by == "key" else self.split_by


@dataclass(frozen=True)
class OptimizerConfig:
    """Muon for hidden matrices and AdamW for all other parameters, with one schedule for both."""

    learning_rate: float = 2e-3
    """Peak learning rate of AdamW, in (0, 10]."""
    matrix_learning_rate: float = 2e-3
    """Peak learning rate of Muon, whose updates are scaled to the RMS of AdamW's; in (0, 10]."""
    weight_decay: float = 0.01
    """Decoupled weight decay of matrices and kernels, in [0, 10]; vectors have none."""
    warmup: float = 0.05
    """Fraction of the steps in which the rate increases from 0."""
    decay: float = 0.6
    """Fraction of the steps, at the end, in which the rate decays to 0."""
    max_grad_norm: float = 1.0
    """Gradient norm clipping threshold, > 0."""
    batch_size: int = 64
    """Maximum number of samples per step."""
    max_batch_elements: int = 2**22
    """Maximum number of elements per step: values of signals (pixels times channels), tokens of a Loom.
    Larger samples are batched in smaller numbers, one at least."""
    accumulation_steps: int = 1
    """Micro-batches into which every batch is divided, at least 1: memory is needed for one of them at a
    time, and the gradients are added up. Neither samples nor noise depend on it."""

    def __post_init__(self) -> None:
        check_range("learning_rate", self.learning_rate, 0, 10, open_low=True)
        check_range("matrix_learning_rate", self.matrix_learning_rate, 0, 10, open_low=True)
        check_range("weight_decay", self.weight_decay, 0, 10)
        check_range("warmup", self.warmup, 0, 1)
        check_range("decay", self.decay, 0, 1)
        check_range("max_grad_norm", self.max_grad_norm, 0, open_low=True)
        check_range("batch_size", self.batch_size, 1)
        check_range("max_batch_elements", self.max_batch_elements, 1)
        check_range("accumulation_steps", self.accumulation_steps, 1)


@dataclass(frozen=True)
class TrainingConfig:
    """Training settings: duration, averaging, checkpoints, precision."""

    minutes: float | None = None
    """Wall-clock time budget of all stages together, in minutes."""
    steps: dict[str, int] = field(default_factory=dict)
    """Stage → number of steps: configured, or recorded at the end of a stage with a time budget."""
    schedule: dict[str, Schedule] = field(default_factory=dict)
    """Stage → learning-rate schedule recorded during training with a time budget."""
    threads: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """Stage → (step, number of CPU threads from this step on), recorded during training with a time budget;
    the number affects roundings."""
    ema_decay: float = 0.999
    """Decay of the weight EMA per step, reached gradually; in [0, 1]."""
    checkpoint_seconds: float = 60.0
    log_every: int = 10
    """Steps per line of metrics.jsonl."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 where it is fast; the resolved value is recorded when training starts."""
    tensorboard: bool = False
    """Also log the metrics as TensorBoard's event files, in RUN/tensorboard."""
    workers: int | None = None
    """Threads that prepare batches ahead, in [0, 64]; results do not depend on it. None: 2 on a GPU, 0 on the
    CPU."""

    def __post_init__(self) -> None:
        if self.minutes is not None:
            check_range("minutes", self.minutes, 0, 525_600, open_low=True)
        for stage, steps in self.steps.items():
            check_range(f"steps.{stage}", steps, 1)
        for stage, changes in self.threads.items():
            for _, threads in changes:
                check_range(f"threads.{stage}", threads, 1)
        check_range("ema_decay", self.ema_decay, 0, 1)
        check_range("checkpoint_seconds", self.checkpoint_seconds, 0)
        check_range("log_every", self.log_every, 1)
        if self.workers is not None:
            check_range("workers", self.workers, 0, 64)

    def schedule_of(self, stage: str, optimizer: OptimizerConfig) -> Schedule:
        """Schedule of a stage with known steps: the recorded one if its number of steps matches."""
        if self._is_recorded(stage):
            return self.schedule[stage]
        return trapezoid(self.steps[stage], warmup=optimizer.warmup, decay=optimizer.decay)

    def threads_of(self, stage: str) -> tuple[tuple[int, int], ...]:
        """Changes of the number of threads of a stage with known steps: those recorded with its schedule."""
        return self.threads.get(stage, ()) if self._is_recorded(stage) else ()

    def with_record(self, kept: "TrainingConfig") -> "TrainingConfig":
        """These settings with what another training recorded: steps, schedule, threads and precision, and its
        minutes where none are given."""
        precision = kept.precision if self.precision == "auto" else self.precision
        minutes = kept.minutes if self.minutes is None else self.minutes
        return replace(
            self,
            minutes=minutes,
            steps=kept.steps,
            schedule=kept.schedule,
            threads=kept.threads,
            precision=precision,
        )

    def _is_recorded(self, stage: str) -> bool:
        recorded = self.schedule.get(stage)
        return recorded is not None and recorded.total == self.steps[stage]


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Base of every engine's configuration; a subclass narrows `engine` and adds its own sections."""

    version: int = VERSION
    engine: str = ""
    """A name in ENGINES: the kind of model that is trained."""
    seed: int = 0
    license: str = ""
    """License of the model, for its card: an identifier such as cc-by-4.0; empty: none is named."""
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise BadValue(f"version is {self.version}; this modaloom reads {VERSION}")
        check_range("seed", self.seed, 0, 2**63 - 1)

    def portable(self) -> Self:
        """The configuration with names of runs in place of paths."""
        return self

    def adapted(self) -> Self:
        """The configuration of a training that starts from this run, without how its own parts began."""
        return self


def read_config_file(path: Path) -> dict[str, Any]:
    """Read a TOML file, or a JSON file such as a run folder's config.json. Raises `BadFile`."""
    parse = from_json if path.suffix == ".json" else tomllib.loads
    try:
        plain = parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(path, str(error)) from error
    if not isinstance(plain, dict):
        raise BadFile(path, f"holds a JSON {type(plain).__name__}; a configuration is an object")
    return plain


def merge(defaults: Any, given: Any) -> Any:
    """Merge `given` recursively over `defaults`; keys that are missing in `given` keep their defaults."""
    if not (isinstance(defaults, Mapping) and isinstance(given, Mapping)):
        return given
    return {**defaults, **{key: merge(defaults.get(key), value) for key, value in given.items()}}
