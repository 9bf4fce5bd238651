"""Holes filled, in signals over any axes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.degradations.holes import holes
from modaloom.models.pair import Pair
from modaloom.tasks.base import Signals, Task, given, wanted
from modaloom.tasks.known import improve, spread, with_known


@dataclass(frozen=True)
class Inpaint:
    """No options: the holes are the given signal's last channel (`with_known`)."""


def _hold(signal: Tensor, mask: Tensor | None, options: Inpaint) -> Tensor:
    """The mask marks the holes."""
    if mask is None:
        raise BadValue("inpaint needs a mask, white where the signal is to be filled in")
    return with_known(signal, ~mask)


def _degrade(signals: Signals, options: Inpaint, generator: torch.Generator) -> Signals:
    want = wanted(signals)
    return Signals(want, with_known(want, holes(want.shape[1:], generator=generator)))


def _ask(signals: Signals, options: Inpaint) -> Pair:
    signal, known = _parts(given(signals))
    return improve(torch.cat([spread(signal, known), known]))


def _finish(restored: Tensor, signals: Signals, options: Inpaint) -> Tensor:
    """What was known stays, bit for bit."""
    signal, known = _parts(given(signals))
    return torch.where(known > 0, signal, restored.clamp(0, 1))


def _parts(held: Tensor) -> tuple[Tensor, Tensor]:
    signal, known = held[:-1], held[-1:]
    if not bool(known.any()):
        raise BadValue("the mask leaves nothing of the signal; some of it must be known")
    return signal, known


INPAINT = Task(Inpaint, _degrade, _ask, finish=_finish, hold=_hold, certain=lambda options: False)
