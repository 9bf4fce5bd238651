"""Augmentations: random changes after which a training signal is still a valid one.

They are pure functions of what they are given and a generator, and return signals of the same range. Both
engines use them: the codec of a modality names the one that its tokenizers are trained with and those that a
Loom may be trained with, the Restorer crops, turns and mirrors, and recolours where hints determine the
colours.

What makes a training pair is part of a task and stays with it in `restorer/tasks`: degradations and their
strength, masks, the number and places of colour hints, the noise of a diffusion process.
"""

from collections.abc import Callable, Mapping
from typing import Any

from modaloom.transforms.brightness import brightness
from modaloom.transforms.crop import random_crops
from modaloom.transforms.flip import flip
from modaloom.transforms.recolour import recolour
from modaloom.transforms.rotate_colours import rotate_colours
from modaloom.transforms.shift import shift

__all__ = ["TRANSFORMS", "brightness", "flip", "random_crops", "recolour", "rotate_colours", "shift"]

TRANSFORMS: Mapping[str, Callable[..., Any]] = {
    "brightness": brightness,
    "crop": random_crops,
    "flip": flip,
    "recolour": recolour,
    "rotate_colours": rotate_colours,
    "shift": shift,
}
"""Name → function of signals and the keyword `generator`."""
