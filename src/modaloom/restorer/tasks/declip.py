"""Clipped sounds: what was above the level that they are cut at."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from modaloom.core.errors import check_range
from modaloom.degradations.clip import clip, clipped
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks.base import Signals, Task, reject_mask, require_input, require_target
from modaloom.restorer.tasks.waves import CENTRE, CROP_UNIT, cells_example, clamp_cells, to_cells
from modaloom.spectral.autoregression import fill_gaps

LEVELS = (0.05, 0.25)
"""Half widths of what is left of training sounds, as parts of the range: they are as loud as a user's."""


@dataclass(frozen=True)
class Declip:
    """Options of the repair of clipped sounds."""

    level: float = 0.2
    """The lowest level that training sounds are clipped at, as a part of their peak, in (0, 1]; up to 1."""
    gain: float = 0.5
    """Factor of the answer, in (0, 1]: a sound that is clipped at full scale has no room above it. At 1,
    samples that are not clipped stay as they are."""

    def __post_init__(self) -> None:
        check_range("level", self.level, 0, 1, open_low=True)
        check_range("gain", self.gain, 0, 1, open_low=True)


def _sample_options(options: Declip, generator: torch.Generator) -> Declip:
    share = float(torch.rand((), generator=generator))
    return replace(options, level=options.level + (1 - options.level) * share**2)


def _degrade(signals: Signals, options: Declip, generator: torch.Generator) -> Signals:
    want = require_target(signals)
    held = CENTRE + clip(want - CENTRE, level=options.level)
    return replace(signals, input=signals.scale.quantize(held))


def _augment(signals: Signals, options: Declip, generator: torch.Generator) -> Signals:
    """As loud as one of `LEVELS` or between; the target may have values beyond its type's."""
    want, held = require_target(signals), require_input(signals)
    low, high = LEVELS
    width = low + (high - low) * float(torch.rand((), generator=generator))
    gain = width / max(float((held - CENTRE).abs().max()), 1e-3)
    return replace(signals, target=CENTRE + gain * (want - CENTRE), input=CENTRE + gain * (held - CENTRE))


def _prepare(signal: Tensor, mask: Tensor | None, options: Declip) -> Tensor:
    reject_mask(signal, mask, options)
    return CENTRE + options.gain * (signal - CENTRE) if options.gain < 1 else signal


def _build_condition(signals: Signals, options: Declip) -> ConditionalExample:
    """The initial estimate is that of the sound's autoregression."""
    held = require_input(signals)
    top, bottom = clipped(held)
    known = ~(top | bottom)
    found = CENTRE + fill_gaps(held[0] - CENTRE, known[0])[None]
    return cells_example(torch.cat([bounded(found, held), known.to(held)]))


def bounded(found: Tensor, held: Tensor) -> Tensor:
    """`held` (1, n), but at its top what is higher in `found`, and at its bottom what is lower."""
    top, bottom = clipped(held)
    return torch.where(top, found.maximum(held), torch.where(bottom, found.minimum(held), held))


def _postprocess(restored: Tensor, signals: Signals, options: Declip) -> Tensor:
    return bounded(clamp_cells(restored, signals, options), require_input(signals))


DECLIP = Task(
    Declip,
    _degrade,
    _build_condition,
    represent=to_cells,
    crop_unit=CROP_UNIT,
    postprocess=_postprocess,
    sample_options=_sample_options,
    augment=_augment,
    prepare=_prepare,
    is_consistent=lambda options: False,
)
