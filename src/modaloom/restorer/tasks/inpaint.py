"""Inpainting, for signals with any number of axes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.degradations.moving_boxes import moving_boxes
from modaloom.degradations.random_boxes import random_boxes
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks.base import Signals, Task, require_input, require_target
from modaloom.restorer.tasks.masking import append_mask, pull_push, restoration_example
from modaloom.restorer.tasks.nearby_frames import REACH, check_gaps, fill_from_frames
from modaloom.restorer.tasks.waves import CENTRE, CROP_UNIT, cells_example, from_cells, to_cells
from modaloom.spectral.autoregression import fill_gaps

HOLES: Mapping[int, Callable[..., Tensor]] = {1: random_boxes, 2: random_boxes, 3: moving_boxes}
FILL: Mapping[int, Callable[[Tensor, Tensor], Tensor]] = {1: pull_push, 2: pull_push, 3: fill_from_frames}
"""Number of axes → the holes of training signals, and the initial estimate of what is in them."""
LONGEST_GAP = 512
"""Samples of the longest gap of training sounds: 32 ms at 16 kHz."""


@dataclass(frozen=True)
class Inpaint:
    """No options: the mask is the input's last channel (`append_mask`)."""


def _prepare(signal: Tensor, mask: Tensor | None, options: Inpaint) -> Tensor:
    """Appends the mask, which marks the holes. Raises `BadValue` if it is missing."""
    if mask is None:
        raise BadValue("inpaint needs a mask, white, or loud, where the signal is to be filled in")
    return append_mask(signal, ~mask)


def _degrade(signals: Signals, options: Inpaint, generator: torch.Generator) -> Signals:
    want = require_target(signals)
    known = HOLES[want.ndim - 1](want.shape[1:], generator=generator)
    return replace(signals, input=append_mask(want, known))


def _build_condition(signals: Signals, options: Inpaint) -> ConditionalExample:
    signal, known = _split_mask(require_input(signals))
    return restoration_example(torch.cat([FILL[signal.ndim - 1](signal, known), known]))


def _postprocess(restored: Tensor, signals: Signals, options: Inpaint) -> Tensor:
    """Copies the known part from the input, bit for bit."""
    signal, known = _split_mask(require_input(signals))
    return torch.where(known > 0, signal, signals.scale.clamp(restored))


def _cut(signals: Signals, options: Inpaint, generator: torch.Generator) -> Signals:
    """Gaps of sounds."""
    want = require_target(signals)
    known = random_boxes(want.shape[1:], generator=generator, widest=LONGEST_GAP)
    return replace(signals, input=append_mask(want, known))


def _build_cells(signals: Signals, options: Inpaint) -> ConditionalExample:
    """The initial estimate is that of the sound's autoregression."""
    wave, known = _split_mask(require_input(signals))
    filled = CENTRE + fill_gaps(wave[0] - CENTRE, known[0] > 0)[None]
    return cells_example(torch.cat([filled, known]))


def _finish_cells(restored: Tensor, signals: Signals, options: Inpaint) -> Tensor:
    return _postprocess(from_cells(restored, require_input(signals).shape[1]), signals, options)


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
    check_gaps=lambda marked, options: check_gaps(marked),
    reach=REACH,
    is_consistent=lambda options: False,
)

INPAINT_SOUND = replace(
    INPAINT,
    degrade=_cut,
    build_condition=_build_cells,
    represent=to_cells,
    crop_unit=CROP_UNIT,
    postprocess=_finish_cells,
)
