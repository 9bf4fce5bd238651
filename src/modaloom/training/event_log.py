"""The metrics of a stage as event files of TensorBoard."""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from modaloom.core.errors import BadValue

EVENTS = "tensorboard"
"""Folder of a run; a folder in it for each stage."""
COORDINATES = ("stage", "step", "total")


class EventLog(Protocol):
    """Takes the records of metrics.jsonl."""

    def __call__(self, record: Mapping[str, Any]) -> None:
        """Log a record."""


def check_installed() -> None:
    """Raises `BadValue` if TensorBoard's writer is not there."""
    try:
        importlib.import_module("torch.utils.tensorboard")
    except ImportError:
        raise BadValue(
            "training.tensorboard needs the package tensorboard: pip install 'modaloom[tensorboard]'"
        ) from None


@contextmanager
def event_log(run: Path, stage: str, step: int) -> Iterator[EventLog]:
    """Events of a stage from `step` on; later ones of an interrupted training are hidden."""
    module = importlib.import_module("torch.utils.tensorboard")
    with module.SummaryWriter(str(run / EVENTS / stage), purge_step=step + 1) as writer:

        def log(record: Mapping[str, Any]) -> None:
            for name, value in record.items():
                if name not in COORDINATES and value is not None:
                    writer.add_scalar(name.replace(".", "/"), value, record["step"])

        yield log


@contextmanager
def no_log() -> Iterator[EventLog]:
    """Nothing is logged."""
    yield lambda record: None
