"""Paired image-to-image translation between two streams on the same grid."""

from dataclasses import dataclass, replace

from torch import Tensor

from modaloom.core.errors import BadValue
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks.base import Signals, Task, paired_input, require_input
from modaloom.restorer.tasks.masking import append_full_mask, restoration_example
from modaloom.restorer.tasks.waves import CROP_UNIT, cells_example, clamp_cells, to_cells


@dataclass(frozen=True)
class ImageToImage:
    """No options."""


def _masked(signals: Signals) -> Tensor:
    if signals.target is not None and signals.target.shape != require_input(signals).shape:
        shapes = f"{tuple(require_input(signals).shape)} and {tuple(signals.target.shape)}"
        raise BadValue(f"the given and the wanted signal have the shapes {shapes}; they must be equal")
    return append_full_mask(require_input(signals))


def _build_condition(signals: Signals, options: ImageToImage) -> ConditionalExample:
    return restoration_example(_masked(signals))


def _build_cells(signals: Signals, options: ImageToImage) -> ConditionalExample:
    return cells_example(_masked(signals))


IMAGE_TO_IMAGE = Task(ImageToImage, paired_input, _build_condition, recolors=lambda options: True)
SOUND_TO_SOUND = replace(
    IMAGE_TO_IMAGE,
    build_condition=_build_cells,
    represent=to_cells,
    crop_unit=CROP_UNIT,
    postprocess=clamp_cells,
)
