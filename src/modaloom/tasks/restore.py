"""Five faults of pictures, one network: it is told which one, and how strong."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from modaloom.core.errors import choose
from modaloom.models.pair import Pair
from modaloom.tasks.base import Signals, Task
from modaloom.tasks.colorize import COLORIZE, Colorize
from modaloom.tasks.denoise import DENOISE, Denoise
from modaloom.tasks.inpaint import INPAINT, Inpaint
from modaloom.tasks.jpeg import JPEG, Jpeg
from modaloom.tasks.superres import SUPERRES, SuperRes

PARTS: Mapping[str, Task[Any]] = {
    "superres": SUPERRES,
    "colorize": COLORIZE,
    "inpaint": INPAINT,
    "denoise": DENOISE,
    "jpeg": JPEG,
}
"""Tasks whose condition is a picture and what is known of it."""


@dataclass(frozen=True)
class Restore:
    """Options: those of each part, and which of them is asked for."""

    fault: str = "superres"
    """One of the parts; training draws all of them equally often."""
    superres: SuperRes = field(default_factory=SuperRes)
    colorize: Colorize = field(default_factory=Colorize)
    inpaint: Inpaint = field(default_factory=Inpaint)
    denoise: Denoise = field(default_factory=Denoise)
    jpeg: Jpeg = field(default_factory=Jpeg)

    def __post_init__(self) -> None:
        choose("fault", self.fault, PARTS)

    @property
    def part(self) -> Any:
        """The options of the fault."""
        return getattr(self, self.fault)


def _draw(options: Restore, generator: torch.Generator) -> Restore:
    fault = [*PARTS][int(torch.randint(len(PARTS), (), generator=generator))]
    drawn = replace(options, fault=fault)
    return replace(drawn, **{fault: PARTS[fault].draw(drawn.part, generator)})


def _parts(options: Restore) -> dict[str, Restore]:
    return {fault: replace(options, fault=fault) for fault in PARTS}


def _hold(signal: Tensor, mask: Tensor | None, options: Restore) -> Tensor:
    return PARTS[options.fault].hold(signal, mask, options.part)


def _degrade(signals: Signals, options: Restore, generator: torch.Generator) -> Signals:
    return PARTS[options.fault].degrade(signals, options.part, generator)


def _vary(signals: Signals, options: Restore, generator: torch.Generator) -> Signals:
    return PARTS[options.fault].vary(signals, options.part, generator)


def _ask(signals: Signals, options: Restore) -> Pair:
    """The part's question; its context is one-hot the fault, then the part's level."""
    asked, kind = PARTS[options.fault].ask(signals, options.part), [*PARTS].index(options.fault)
    which = torch.eye(len(PARTS))[kind].to(asked.context)
    context = torch.cat([which.expand(len(asked.context), -1), asked.context], 1)
    return replace(asked, context=context, kind=torch.tensor(kind))


def _finish(restored: Tensor, signals: Signals, options: Restore) -> Tensor:
    return PARTS[options.fault].finish(restored, signals, options.part)


def _certain(options: Restore) -> bool:
    return PARTS[options.fault].certain(options.part)


RESTORE = Task(
    Restore,
    _degrade,
    _ask,
    finish=_finish,
    draw=_draw,
    vary=_vary,
    hold=_hold,
    parts=_parts,
    certain=_certain,
    learned={
        f"{fault}.{name}": reach for fault, part in PARTS.items() for name, reach in part.learned.items()
    },
    coloured=any(part.coloured for part in PARTS.values()),
    kinds=len(PARTS),
)
