"""The Run: everything that decides what a training makes, in one frozen tree."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from modaloom.core.errors import BadFile, BadValue, check_choice, check_range
from modaloom.loom.loom import LoomConfig
from modaloom.modalities.base import Limits
from modaloom.restorer.config import RestorerConfig
from modaloom.restorer.tasks import TASKS
from modaloom.runs.config_io import changed, from_plain, override, to_plain
from modaloom.tokenizers.bpe import BPEConfig
from modaloom.tokenizers.vqvae import VQVAEConfig

__all__ = [
    "VERSION",
    "BPEConfig",
    "DataConfig",
    "OptimizerConfig",
    "Run",
    "TrainingConfig",
    "from_dict",
    "load_file",
    "override",
    "to_dict",
]

VERSION = 1
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
    decay: Literal["linear", "cosine"] = "linear"
    """How it then falls to 0."""
    max_grad_norm: float = 1.0
    """Largest norm of the gradient."""
    batch_size: int = 64
    """Samples a step."""

    def __post_init__(self) -> None:
        check_range("learning_rate", self.learning_rate, 0, 10, open_low=True)
        check_range("matrix_learning_rate", self.matrix_learning_rate, 0, 10, open_low=True)
        check_range("weight_decay", self.weight_decay, 0, 10)
        check_range("warmup", self.warmup, 0, 1)
        check_range("max_grad_norm", self.max_grad_norm, 0, open_low=True)
        check_range("batch_size", self.batch_size, 1)


@dataclass(frozen=True)
class TrainingConfig:
    """How long, how fast, how safe."""

    minutes: float | None = None
    """Wall-clock budget of all stages together; calibration turns it into `steps`."""
    steps: dict[str, int] = field(default_factory=dict)
    """Stage → its number of steps; what stands here is never calibrated."""
    tokenizer_share: float = 0.2
    """Of the minutes, what the learned tokenizers take together."""
    tokenizer: OptimizerConfig = OptimizerConfig(learning_rate=3e-3)
    loom: OptimizerConfig = OptimizerConfig(learning_rate=1e-2, matrix_learning_rate=6e-3, batch_size=64)
    restorer: OptimizerConfig = OptimizerConfig(learning_rate=1e-3, batch_size=16)
    ema_decay: float = 0.999
    """Decay of the weight average a step, reached gradually."""
    checkpoint_seconds: float = 60.0
    log_every: int = 10
    """Steps between two lines of metrics.jsonl."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 where it is fast."""

    def __post_init__(self) -> None:
        if self.minutes is not None:
            check_range("minutes", self.minutes, 0, 525_600, open_low=True)
        for stage, steps in self.steps.items():
            check_range(f"steps.{stage}", steps, 1)
        check_range("tokenizer_share", self.tokenizer_share, 0, 1)
        check_range("ema_decay", self.ema_decay, 0, 1)
        check_range("checkpoint_seconds", self.checkpoint_seconds, 0)
        check_range("log_every", self.log_every, 1)


@dataclass(frozen=True)
class Run:
    """The whole configuration of a training."""

    version: int = VERSION
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    vqvae: VQVAEConfig = field(default_factory=VQVAEConfig)
    bpe: BPEConfig = field(default_factory=BPEConfig)
    loom: LoomConfig = field(default_factory=LoomConfig)
    task: str = ""
    """A name in TASKS, of which a Restorer is made; empty: a Loom is."""
    restorer: RestorerConfig = field(default_factory=RestorerConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise BadValue(f"version is {self.version}; this modaloom reads {VERSION}")
        check_range("seed", self.seed, 0, 2**63 - 1)
        if self.task:
            check_choice("task", self.task, TASKS)
            self.options()

    @property
    def engine(self) -> str:
        """loom | restorer: which of the two is trained."""
        return "restorer" if self.task else "loom"

    def options(self) -> Any:
        """The options of the task. Raises `BadValue`."""
        return changed(TASKS[self.task].options(), self.restorer.options.items())


def to_dict(run: Run) -> dict[str, Any]:
    """A run as JSON has it; `from_dict` is the inverse."""
    return to_plain(run)


def from_dict(plain: Mapping[str, Any]) -> Run:
    """Raises `BadValue` naming the dotted key and, where there is one, the near miss."""
    return from_plain(Run, plain)


def load_file(path: Path) -> Run:
    """Read a run from TOML, or from JSON such as a run folder's; absent keys take their defaults.

    Raises `BadFile` and `BadValue`.
    """
    parse = json.loads if path.suffix == ".json" else tomllib.loads
    try:
        plain = parse(path.read_text(encoding="utf-8"))
        return from_dict(_merged(to_dict(Run()), plain))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise BadFile(path, str(error)) from error


def _merged(defaults: Any, given: Any) -> Any:
    """`given` over `defaults`: part of a table leaves the rest of it as it is in a Run, not in its class."""
    if not (isinstance(defaults, dict) and isinstance(given, dict)):
        return given
    return {**defaults, **{key: _merged(defaults.get(key), value) for key, value in given.items()}}
