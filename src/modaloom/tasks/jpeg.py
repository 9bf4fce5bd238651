"""The faults of JPEG repaired."""

from dataclasses import dataclass

import torch

from modaloom.core.errors import check_range
from modaloom.degradations.jpeg import jpeg
from modaloom.models.pair import Pair
from modaloom.tasks.base import Signals, Task, given, wanted
from modaloom.tasks.known import improve, wholly_known


@dataclass(frozen=True)
class Jpeg:
    """Options."""

    quality: int = 20
    """Of the given pictures, 1 to 95."""

    def __post_init__(self) -> None:
        check_range("quality", self.quality, 1, 95)


def _degrade(signals: Signals, options: Jpeg, generator: torch.Generator) -> Signals:
    want = wanted(signals)
    return Signals(want, jpeg(want, quality=options.quality))


def _ask(signals: Signals, options: Jpeg) -> Pair:
    return improve(wholly_known(given(signals)), level=1 - options.quality / 100)


JPEG = Task(Jpeg, _degrade, _ask, learned={"quality": "only"})
