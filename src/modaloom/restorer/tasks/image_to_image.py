"""Paired image-to-image translation between two streams on the same grid."""

from dataclasses import dataclass

from modaloom.core.errors import BadValue
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.tasks.base import Signals, Task, paired_input, require_input
from modaloom.restorer.tasks.masking import append_full_mask, restoration_example


@dataclass(frozen=True)
class ImageToImage:
    """No options."""


def _build_condition(signals: Signals, options: ImageToImage) -> ConditionalExample:
    if signals.target is not None and signals.target.shape != require_input(signals).shape:
        shapes = f"{tuple(require_input(signals).shape)} and {tuple(signals.target.shape)}"
        raise BadValue(f"the given and the wanted signal have the shapes {shapes}; they must be equal")
    return restoration_example(append_full_mask(require_input(signals)))


IMAGE_TO_IMAGE = Task(ImageToImage, paired_input, _build_condition, recolors=lambda options: True)
