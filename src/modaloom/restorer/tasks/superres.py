"""Super-resolution of images and of the frames of clips, and what that of sounds shares with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from modaloom.core.errors import check_choice
from modaloom.degradations.downsample import shrink
from modaloom.degradations.sinc import decimate, interpolate
from modaloom.degradations.upsample import upsample
from modaloom.modalities.scale import EIGHT_BITS, Scale
from modaloom.restorer.example import ConditionalExample
from modaloom.restorer.patch_ridge import FilterSpec
from modaloom.restorer.tasks.base import Signals, Task, require_input, require_target
from modaloom.restorer.tasks.masking import append_full_mask, restoration_example

FACTORS = (2, 4)
NUM_PROJECTIONS = 20
SHRINK: Mapping[int, Callable[..., Tensor]] = {1: decimate, 2: shrink, 3: shrink}
ENLARGE: Mapping[int, Callable[..., Tensor]] = {1: interpolate, 2: upsample, 3: upsample}
"""Number of axes → what makes signals (C, *axes) smaller, and larger again, by the keyword `factor`; those of
clips keep their frames."""
MIN_SMALLER_SIDE = 16
"""Pixels of a smaller copy, below which it tells too little."""


@dataclass(frozen=True)
class SuperRes:
    """Options of super-resolution."""

    factor: int = 2
    """Scale factor, 2 or 4; must divide the sides of training images."""
    consistent: bool = True
    """Whether the result is projected so that downsampling it yields the input."""

    def __post_init__(self) -> None:
        check_choice("factor", str(self.factor), map(str, FACTORS))


def _degrade(signals: Signals, options: SuperRes, generator: torch.Generator) -> Signals:
    """Antialiased bicubic downsampling, to values that a file can hold."""
    return _degraded(signals, require_target(signals), options)


def _degraded(signals: Signals, want: Tensor, options: SuperRes) -> Signals:
    small = signals.scale.quantize(SHRINK[want.ndim - 1](want, factor=options.factor))
    return replace(signals, target=want, input=small)


def _build_condition(signals: Signals, options: SuperRes) -> ConditionalExample:
    small = require_input(signals)
    enlarged = ENLARGE[small.ndim - 1](small, factor=options.factor)
    return restoration_example(append_full_mask(enlarged), level=options.factor / max(FACTORS))


def _postprocess(restored: Tensor, signals: Signals, options: SuperRes) -> Tensor:
    return (
        consistent(restored, require_input(signals), options.factor, signals.scale)
        if options.consistent
        else signals.scale.clamp(restored)
    )


def _smaller(signals: Signals, options: SuperRes) -> Signals | None:
    small = require_input(signals)
    height, width = (side - side % options.factor for side in small.shape[-2:])
    if min(height, width) < MIN_SMALLER_SIDE * options.factor:
        return None
    known = small[..., :height, :width]
    return _degraded(signals, known, options)


def consistent(image: Tensor, small: Tensor, factor: int, scale: Scale = EIGHT_BITS) -> Tensor:
    """Returns a signal near `image` (C, *axes), within the limits of the values, that downsamples to `small`
    (C, *axes/factor).

    Iterative back-projection (Irani & Peleg 1991, doi 10.1016/1049-9652(91)90045-L, eq. 3).
    """
    axes = image.ndim - 1
    for _ in range(NUM_PROJECTIONS):
        missing = small - scale.clamp(SHRINK[axes](image, factor=factor))
        image = scale.clamp(image + ENLARGE[axes](missing, factor=factor))
    return image


SUPERRES = Task(
    SuperRes,
    _degrade,
    _build_condition,
    linear_filter=lambda options: FilterSpec(period=options.factor),
    postprocess=_postprocess,
    smaller=_smaller,
    factor=lambda options: options.factor,
    fixed_options={"factor": "only"},
)
