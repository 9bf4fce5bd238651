"""Variations of a signal: partial noising, then sampling from there."""

from dataclasses import dataclass, replace

import torch

from modaloom.core.errors import check_range
from modaloom.restorer.example import ConditionalExample, unlabeled_example
from modaloom.restorer.tasks.base import Signals, Task, require_input, require_target, zero_estimate


@dataclass(frozen=True)
class Vary:
    """Options of variation."""

    strength: float = 0.5
    """Start time of sampling, in [0, 1]: 0 returns the signal itself, 1 is independent of it."""

    def __post_init__(self) -> None:
        check_range("strength", self.strength, 0, 1)


def _degrade(signals: Signals, options: Vary, generator: torch.Generator) -> Signals:
    """The input is the target: the model is unconditional."""
    return replace(signals, input=require_target(signals))


def _build_condition(signals: Signals, options: Vary) -> ConditionalExample:
    """Sampling starts from the noised input (SDEdit: Meng et al. 2022, arXiv 2108.01073, algorithm 1)."""
    signal = require_input(signals)
    return replace(unlabeled_example(signal[:0], len(signal)), target=signal)


VARY = Task(
    Vary,
    _degrade,
    _build_condition,
    initial_estimate=zero_estimate,
    start_time=lambda options: options.strength,
)
