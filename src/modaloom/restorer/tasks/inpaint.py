"""Inpainting, for signals with any number of axes."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.degradations.random_boxes import random_boxes
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks.base import Signals, Task, require_input, require_target
from modaloom.restorer.tasks.masking import append_mask, pull_push, restoration_example


@dataclass(frozen=True)
class Inpaint:
    """No options: the mask is the input's last channel (`append_mask`)."""


def _prepare(signal: Tensor, mask: Tensor | None, options: Inpaint) -> Tensor:
    """Appends the mask, which marks the holes. Raises `BadValue` if it is missing."""
    if mask is None:
        raise BadValue("inpaint needs a mask, white where the signal is to be filled in")
    return append_mask(signal, ~mask)


def _degrade(signals: Signals, options: Inpaint, generator: torch.Generator) -> Signals:
    want = require_target(signals)
    known = random_boxes(want.shape[1:], generator=generator)
    return replace(signals, input=append_mask(want, known))


def _build_condition(signals: Signals, options: Inpaint) -> ConditionalExample:
    signal, known = _split_mask(require_input(signals))
    return restoration_example(torch.cat([pull_push(signal, known), known]))


def _postprocess(restored: Tensor, signals: Signals, options: Inpaint) -> Tensor:
    """Copies the known part from the input, bit for bit."""
    signal, known = _split_mask(require_input(signals))
    return torch.where(known > 0, signal, signals.scale.clamp(restored))


def _split_mask(held: Tensor) -> tuple[Tensor, Tensor]:
    signal, known = held[:-1], held[-1:]
    if not bool(known.any()):
        raise BadValue("the mask leaves nothing of the signal; some of it must be known")
    return signal, known


INPAINT = Task(
    Inpaint,
    _degrade,
    _build_condition,
    postprocess=_postprocess,
    prepare=_prepare,
    is_consistent=lambda options: False,
)
