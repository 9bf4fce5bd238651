"""Super-resolution: pictures made larger."""

from dataclasses import dataclass

import torch
from torch import Tensor

from modaloom.core.errors import choose
from modaloom.degradations.eight_bits import eight_bits
from modaloom.degradations.larger import larger
from modaloom.degradations.smaller import smaller
from modaloom.models.pair import Pair
from modaloom.tasks.base import Signals, Task, given, wanted
from modaloom.tasks.known import improve, wholly_known

FACTORS = (2, 4)
PROJECTIONS = 20


@dataclass(frozen=True)
class SuperRes:
    """Options."""

    factor: int = 2
    """2 or 4; divides the sides of training pictures."""
    consistent: bool = True
    """The answer, made smaller, is the given picture."""

    def __post_init__(self) -> None:
        choose("factor", str(self.factor), map(str, FACTORS))


def _degrade(signals: Signals, options: SuperRes, generator: torch.Generator) -> Signals:
    """Antialiased bicubic in 8 bits."""
    want = wanted(signals)
    return Signals(want, eight_bits(smaller(want, factor=options.factor)))


def _ask(signals: Signals, options: SuperRes) -> Pair:
    enlarged = larger(given(signals), factor=options.factor)
    return improve(wholly_known(enlarged), level=options.factor / max(FACTORS))


def _finish(restored: Tensor, signals: Signals, options: SuperRes) -> Tensor:
    return (
        consistent(restored, given(signals), options.factor) if options.consistent else restored.clamp(0, 1)
    )


def consistent(image: Tensor, small: Tensor, factor: int) -> Tensor:
    """The picture near `image` (C, H, W) in [0, 1] that, made smaller, is `small` (C, H/factor, W/factor).

    Iterated back-projection (Irani & Peleg 1991, doi 10.1016/1049-9652(91)90045-L, eq. 3).
    """
    for _ in range(PROJECTIONS):
        image = (image + larger(small - smaller(image, factor=factor), factor=factor)).clamp(0, 1)
    return image


SUPERRES = Task(SuperRes, _degrade, _ask, finish=_finish, learned={"factor": "only"})
