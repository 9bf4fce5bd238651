"""Holes filled, in signals over any axes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.degradations.holes import holes
from modaloom.models.pair import Pair
from modaloom.tasks.base import Signals, Task, given, wanted
from modaloom.tasks.known import improve, with_known


@dataclass(frozen=True)
class Inpaint:
    """No options: the holes are the given signal's last channel (`with_known`)."""


def _degrade(signals: Signals, options: Inpaint, generator: torch.Generator) -> Signals:
    want = wanted(signals)
    return Signals(want, with_known(want, holes(want.shape[1:], generator=generator)))


def _ask(signals: Signals, options: Inpaint) -> Pair:
    signal, known = _parts(given(signals))
    return improve(torch.cat([_filled(signal, known), known]))


def _finish(restored: Tensor, signals: Signals, options: Inpaint) -> Tensor:
    """What was known stays, bit for bit."""
    signal, known = _parts(given(signals))
    return torch.where(known > 0, signal, restored.clamp(0, 1))


def _parts(held: Tensor) -> tuple[Tensor, Tensor]:
    signal, known = held[:-1], held[-1:]
    if not bool(known.any()):
        raise BadValue("the mask leaves nothing of the signal; some of it must be known")
    return signal, known


def _filled(signal: Tensor, known: Tensor) -> Tensor:
    """The holes in the mean of what is known; nothing of what was in them is left."""
    kept = signal * known
    mean = kept.flatten(1).sum(1) / known.sum()
    return kept + (1 - known) * mean.reshape(-1, *[1] * (signal.ndim - 1))


INPAINT = Task(Inpaint, _degrade, _ask, finish=_finish)
