"""Unconditional generation of signals."""

from dataclasses import dataclass, replace

import torch

from modaloom.restorer.example import ConditionalExample, unlabeled_example
from modaloom.restorer.tasks.base import Signals, Task, require_target, zero_estimate


@dataclass(frozen=True)
class Generate:
    """No options."""


def _degrade(signals: Signals, options: Generate, generator: torch.Generator) -> Signals:
    """The input is zeros of the target's shape."""
    return replace(signals, input=torch.zeros_like(require_target(signals)))


def _build_condition(signals: Signals, options: Generate) -> ConditionalExample:
    """`input` only determines the target's shape."""
    shape = signals.input if signals.input is not None else require_target(signals)
    return unlabeled_example(shape[:0], len(shape))


GENERATE = Task(Generate, _degrade, _build_condition, initial_estimate=zero_estimate, unconditional=True)
