"""Style transfer without pairs: a picture is learned from its own drawing and from its own patches."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from modaloom.core.errors import BadValue, check_range
from modaloom.degradations.edges import edges
from modaloom.degradations.luma import luma
from modaloom.models.pair import Pair, blank
from modaloom.tasks.base import Signals, Task, given, nothing, wanted


@dataclass(frozen=True)
class Style:
    """Options."""

    patch: int = 8
    """Side of the reference's patches, pixels."""

    def __post_init__(self) -> None:
        check_range("patch", self.patch, 1)


def _degrade(signals: Signals, options: Style, generator: torch.Generator) -> Signals:
    """The picture is its own content and its own reference."""
    want = wanted(signals)
    return Signals(want, given=want, style=want)


def _ask(signals: Signals, options: Style) -> Pair:
    content, reference = given(signals), signals.style
    if reference is None:
        raise BadValue("style needs a reference picture; there is none")
    for image in (content, reference):
        if len(image) != 3:
            raise BadValue(f"a picture of {len(image)} channels; style takes RGB pictures")
    return blank(edges(luma(content)), 3, context=patches(reference, options.patch))


def patches(image: Tensor, side: int) -> Tensor:
    """(C, H, W) → (P, C · side²): squares that cover the picture, its edge repeated to whole squares.

    They are a set: where a patch was has no influence on a network that takes their mean, so that the style
    is learned and not the picture.
    """
    height, width = image.shape[1:]
    wide = F.pad(image, [0, -width % side, 0, -height % side], mode="replicate")
    return F.unfold(wide[None], side, stride=side)[0].T


STYLE = Task(Style, _degrade, _ask, guess=nothing, styled=True, learned={"patch": "only"})
