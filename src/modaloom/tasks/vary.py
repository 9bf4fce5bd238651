"""Variations of a signal: noised in part, then walked back."""

from dataclasses import dataclass, replace

import torch

from modaloom.core.errors import check_range
from modaloom.models.pair import Pair, blank
from modaloom.tasks.base import Signals, Task, given, nothing, wanted


@dataclass(frozen=True)
class Vary:
    """Options."""

    strength: float = 0.5
    """The noise level at which the walk starts: 0 is the signal itself, 1 leaves nothing of it."""

    def __post_init__(self) -> None:
        check_range("strength", self.strength, 0, 1)


def _degrade(signals: Signals, options: Vary, generator: torch.Generator) -> Signals:
    """It learns what signals are, not pairs."""
    want = wanted(signals)
    return Signals(want, want)


def _ask(signals: Signals, options: Vary) -> Pair:
    """The walk starts from the given signal (SDEdit: Meng et al. 2022, arXiv 2108.01073, algorithm 1)."""
    signal = given(signals)
    return replace(blank(signal[:0], len(signal)), target=signal)


VARY = Task(Vary, _degrade, _ask, guess=nothing, start=lambda options: options.strength)
