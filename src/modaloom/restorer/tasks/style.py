"""Unpaired style transfer: an image is reconstructed from its own luma gradients and its own patches."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.errors import BadValue, check_range
from modaloom.degradations.luma import luma
from modaloom.degradations.luma_gradients import luma_gradients
from modaloom.restorer.example import ConditionalExample, unlabeled_example
from modaloom.restorer.tasks.base import Signals, Task, require_input, require_target, zero_estimate


@dataclass(frozen=True)
class Style:
    """Options of style transfer."""

    patch: int = 8
    """Side length of the reference's patches in pixels, at least 1."""

    def __post_init__(self) -> None:
        check_range("patch", self.patch, 1)


def _degrade(signals: Signals, options: Style, generator: torch.Generator) -> Signals:
    """The target is its own content and its own reference."""
    want = require_target(signals)
    return Signals(want, input=want, reference=want)


def _build_condition(signals: Signals, options: Style) -> ConditionalExample:
    content, reference = require_input(signals), signals.reference
    if reference is None:
        raise BadValue("style needs a reference picture; there is none")
    for image in (content, reference):
        if len(image) != 3:
            raise BadValue(f"a picture of {len(image)} channels; style takes RGB pictures")
    return unlabeled_example(luma_gradients(luma(content)), 3, context=patches(reference, options.patch))


def patches(image: Tensor, side: int) -> Tensor:
    """(C, H, W) → (P, C · side²): non-overlapping square patches; the image is edge-padded to whole patches.

    The network averages over the set of patches, so their positions have no influence: it learns the style
    and not the image.
    """
    height, width = image.shape[1:]
    wide = F.pad(image, [0, -width % side, 0, -height % side], mode="replicate")
    return F.unfold(wide[None], side, stride=side)[0].T


STYLE = Task(
    Style,
    _degrade,
    _build_condition,
    initial_estimate=zero_estimate,
    takes_reference=True,
    needs_8_bits=True,
    fixed_options={"patch": "only"},
)
