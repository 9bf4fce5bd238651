"""Signals from nothing but noise."""

from dataclasses import dataclass

import torch

from modaloom.models.pair import Pair, blank
from modaloom.tasks.base import Signals, Task, nothing, wanted


@dataclass(frozen=True)
class Generate:
    """No options."""


def _degrade(signals: Signals, options: Generate, generator: torch.Generator) -> Signals:
    """Nothing is left; the shape of what is wanted is."""
    want = wanted(signals)
    return Signals(want, torch.zeros_like(want))


def _ask(signals: Signals, options: Generate) -> Pair:
    """`given` says no more than the shape of the answer."""
    shape = signals.given if signals.given is not None else wanted(signals)
    return blank(shape[:0], len(shape))


GENERATE = Task(Generate, _degrade, _ask, guess=nothing, free=True)
