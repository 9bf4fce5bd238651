"""Signals from nothing but noise."""

from dataclasses import dataclass

import torch

from modaloom.restorer.example import ConditionalExample, unlabeled_example
from modaloom.restorer.tasks.base import Signals, Task, require_target, zero_estimate


@dataclass(frozen=True)
class Generate:
    """No options."""


def _degrade(signals: Signals, options: Generate, generator: torch.Generator) -> Signals:
    """Nothing is left; the shape of what is wanted is."""
    want = require_target(signals)
    return Signals(want, torch.zeros_like(want))


def _build_condition(signals: Signals, options: Generate) -> ConditionalExample:
    """`input` says no more than the shape of the answer."""
    shape = signals.input if signals.input is not None else require_target(signals)
    return unlabeled_example(shape[:0], len(shape))


GENERATE = Task(Generate, _degrade, _build_condition, initial_estimate=zero_estimate, unconditional=True)
