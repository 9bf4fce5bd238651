"""Removal of JPEG artifacts, of the frames of clips each by itself."""

from dataclasses import dataclass

import torch

from modaloom.core.errors import check_range
from modaloom.degradations.jpeg import jpeg
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks.base import Signals, Task, require_input, require_target
from modaloom.restorer.tasks.masking import append_full_mask, restoration_example


@dataclass(frozen=True)
class Jpeg:
    """Options of JPEG artifact removal."""

    quality: int = 20
    """JPEG quality of the inputs, 1 to 95."""

    def __post_init__(self) -> None:
        check_range("quality", self.quality, 1, 95)


def _degrade(signals: Signals, options: Jpeg, generator: torch.Generator) -> Signals:
    want = require_target(signals)
    coded = jpeg(want.movedim(0, -3), quality=options.quality)
    return Signals(want, coded.movedim(-3, 0))


def _build_condition(signals: Signals, options: Jpeg) -> ConditionalExample:
    return restoration_example(append_full_mask(require_input(signals)), level=1 - options.quality / 100)


JPEG = Task(Jpeg, _degrade, _build_condition, fixed_options={"quality": "only"}, needs_8_bits=True)
