"""Variations of a signal: noised in part, then walked back."""

from dataclasses import dataclass, replace

import torch

from modaloom.core.errors import check_range
from modaloom.restorer.example import ConditionalExample, unlabeled_example
from modaloom.restorer.tasks.base import Signals, Task, require_input, require_target, zero_estimate


@dataclass(frozen=True)
class Vary:
    """Options."""

    strength: float = 0.5
    """The noise level at which the walk starts: 0 is the signal itself, 1 leaves nothing of it."""

    def __post_init__(self) -> None:
        check_range("strength", self.strength, 0, 1)


def _degrade(signals: Signals, options: Vary, generator: torch.Generator) -> Signals:
    """It learns what signals are, not pairs."""
    want = require_target(signals)
    return Signals(want, want)


def _build_condition(signals: Signals, options: Vary) -> ConditionalExample:
    """The walk starts from the given signal (SDEdit: Meng et al. 2022, arXiv 2108.01073, algorithm 1)."""
    signal = require_input(signals)
    return replace(unlabeled_example(signal[:0], len(signal)), target=signal)


VARY = Task(
    Vary,
    _degrade,
    _build_condition,
    initial_estimate=zero_estimate,
    start_time=lambda options: options.strength,
)
